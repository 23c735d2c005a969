// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which instruction some bytes are. QEMU cannot be asked: it does not know these.
 */
#include <string.h>

#include "decode.h"

#define REX_W 8
#define REX_R 4
#define REX_B 1

/* An instruction that is being taken apart; @prefix is 0x66, 0xF2, 0xF3 or 0. */
struct cursor {
	const uint8_t *bytes;
	size_t count;
	size_t at;
	uint8_t prefix;
	uint8_t rex;
};

static int take(struct cursor *cursor)
{
	return cursor->at < cursor->count ? cursor->bytes[cursor->at++] : -1;
}

static int peek(const struct cursor *cursor)
{
	return cursor->at < cursor->count ? cursor->bytes[cursor->at] : -1;
}

static void take_prefixes(struct cursor *cursor)
{
	int byte = peek(cursor);

	if (byte == 0x66 || byte == 0xF2 || byte == 0xF3)
		cursor->prefix = (uint8_t)take(cursor);
	if ((peek(cursor) & 0xF0) == 0x40 && peek(cursor) >= 0)
		cursor->rex = (uint8_t)take(cursor);
}

/* Skips ModRM with all that belongs to it, for an operand in memory; -1: it is not. */
static int take_memory(struct cursor *cursor)
{
	int modrm = take(cursor), mod = modrm >> 6, sib = -1;
	size_t displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (modrm < 0 || mod == 3)
		return -1;
	if ((modrm & 7) == 4) {
		sib = take(cursor);
		if (sib < 0)
			return -1;
		if (!mod && (sib & 7) == 5)
			displacement = 4;
	} else if (!mod && (modrm & 7) == 5) {
		displacement = 4;
	}
	if (cursor->count - cursor->at < displacement)
		return -1;
	cursor->at += displacement;

	return modrm >> 3 & 7;
}

/* 0F 01 /r: two of these have no operand and are told apart by all of ModRM. */
static enum instruction_kind decode_01(struct cursor *cursor)
{
	int modrm = take(cursor);

	if (modrm == 0xCF && cursor->prefix == 0x66)
		return INSTRUCTION_SEAMCALL;
	if (modrm == 0xC4 && !cursor->prefix)
		return INSTRUCTION_VMXOFF;

	return INSTRUCTION_OTHER;
}

static enum instruction_kind decode_38(struct cursor *cursor, struct instruction *ret)
{
	int opcode = take(cursor), modrm = peek(cursor);

	if (cursor->prefix != 0x66 || modrm < 0)
		return INSTRUCTION_OTHER;
	if (opcode == 0x80 || opcode == 0x81)
		return take_memory(cursor) < 0 ? INSTRUCTION_OTHER
					       : INSTRUCTION_INVALIDATE;

	/* MOVDIR64B with nothing but a register for each address. */
	if (opcode != 0xF8 || modrm >> 6 || (modrm & 7) == 4 || (modrm & 7) == 5)
		return INSTRUCTION_OTHER;
	take(cursor);
	ret->reg = (unsigned int)(modrm >> 3 & 7) | (cursor->rex & REX_R ? 8 : 0);
	ret->base = (unsigned int)(modrm & 7) | (cursor->rex & REX_B ? 8 : 0);

	return INSTRUCTION_MOVDIR64B;
}

static enum instruction_kind decode_22(struct cursor *cursor, struct instruction *ret)
{
	int modrm = take(cursor);

	if (modrm < 0 || cursor->prefix || (modrm >> 3 & 7) != 4 || cursor->rex & REX_R)
		return INSTRUCTION_OTHER;
	ret->reg = (unsigned int)(modrm & 7) | (cursor->rex & REX_B ? 8 : 0);

	return INSTRUCTION_MOV_TO_CR4;
}

static enum instruction_kind decode_c7(struct cursor *cursor)
{
	if (cursor->prefix != 0xF3 || take_memory(cursor) != 6)
		return INSTRUCTION_OTHER;

	return INSTRUCTION_VMXON;
}

static enum instruction_kind decode_0f(struct cursor *cursor, struct instruction *ret)
{
	switch (take(cursor)) {
	case 0x01:
		return decode_01(cursor);
	case 0x22:
		return decode_22(cursor, ret);
	case 0x32:
		return cursor->prefix ? INSTRUCTION_OTHER : INSTRUCTION_RDMSR;
	case 0x38:
		return decode_38(cursor, ret);
	case 0xA2:
		return cursor->prefix ? INSTRUCTION_OTHER : INSTRUCTION_CPUID;
	case 0xC7:
		return decode_c7(cursor);
	default:
		return INSTRUCTION_OTHER;
	}
}

struct instruction instruction_decode(const uint8_t *bytes, size_t count)
{
	struct cursor cursor = { .bytes = bytes, .count = count };
	struct instruction ret = { 0 };

	take_prefixes(&cursor);
	if (take(&cursor) != 0x0F)
		return ret;
	ret.kind = decode_0f(&cursor, &ret);
	ret.length = ret.kind ? (unsigned int)cursor.at : 0;

	return ret;
}

unsigned int instruction_jc(const uint8_t *bytes, size_t count, int64_t *ret_target)
{
	int32_t offset;

	if (count >= 2 && bytes[0] == 0x72) {
		*ret_target = 2 + (int8_t)bytes[1];
		return 2;
	}
	if (count >= 6 && bytes[0] == 0x0F && bytes[1] == 0x82) {
		memcpy(&offset, bytes + 2, sizeof(offset));
		*ret_target = 6 + (int64_t)offset;
		return 6;
	}

	return 0;
}

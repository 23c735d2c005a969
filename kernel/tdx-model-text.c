// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * Text in and out of the model, with what the kernel and a C library both have: commands,
 * and the line that describes a synthetic module.
 */
#include "tdx-model-internal.h"

#define NSEC_PER_SECOND 1000000000ULL

void tdx_model_text_add(struct tdx_model_text *text, const char *format, ...)
{
	size_t left = text->size - text->used;
	va_list args;
	int length;

	if (!left)
		return;

	va_start(args, format);
	length = vsnprintf(text->buffer + text->used, left, format, args);
	va_end(args);

	if (length < 0)
		return;
	text->used += (size_t)length < left ? (size_t)length : left - 1;
}

void tdx_model_text_add_hex(struct tdx_model_text *text, const u8 *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		tdx_model_text_add(text, "%02x", bytes[i]);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;

	return 99;
}

/* Digits at *@cursor up to the first other byte. */
static int take_number(const char **cursor, unsigned int base, u64 max, u64 *ret)
{
	const char *start = *cursor, *at;
	u64 value = 0;

	for (at = start; digit_value(*at) < (int)base; at++) {
		u64 digit = (u64)digit_value(*at);

		if (value > (max - digit) / base || digit > max)
			return -EINVAL;
		value = value * base + digit;
	}
	if (at == start)
		return -EINVAL;

	*cursor = at;
	*ret = value;
	return 0;
}

int tdx_model_parse_number(const char *text, u64 max, u64 *ret)
{
	unsigned int base = 10;
	u64 value;

	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	if (take_number(&text, base, max, &value) || *text)
		return -EINVAL;

	*ret = value;
	return 0;
}

/* What CPUID.1 has in EAX; nobody writes it in decimal. */
int tdx_model_parse_signature(const char *text, u32 *ret)
{
	u64 value;

	if (text[0] == '0' && text[1] == 'x')
		text += 2;
	if (take_number(&text, 16, 0xFFFFFFFF, &value) || *text)
		return -EINVAL;

	*ret = (u32)value;
	return 0;
}

int tdx_model_parse_version(const char *text, struct tdx_model_version *ret)
{
	u64 parts[3];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (take_number(&text, 10, 0xFFFF, &parts[i]))
			return -EINVAL;
		if (*text++ != (i < 2 ? '.' : '\0'))
			return -EINVAL;
	}

	ret->major = (u16)parts[0];
	ret->minor = (u16)parts[1];
	ret->update = (u16)parts[2];
	return 0;
}

int tdx_model_parse_digest(const char *text, u8 ret[TDX_MODEL_DIGEST_BYTES])
{
	u8 bytes[TDX_MODEL_DIGEST_BYTES];
	unsigned int i;

	for (i = 0; i < sizeof(bytes); i++) {
		int high = digit_value(text[2 * i]);
		int low = high < 16 ? digit_value(text[2 * i + 1]) : 99;

		if (low > 15)
			return -EINVAL;
		bytes[i] = (u8)(high << 4 | low);
	}
	if (text[2 * sizeof(bytes)])
		return -EINVAL;

	memcpy(ret, bytes, sizeof(bytes));
	return 0;
}

int tdx_model_parse_bool(const char *text, bool *ret)
{
	if (!strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "1"))
		*ret = true;
	else if (!strcmp(text, "off") || !strcmp(text, "no") || !strcmp(text, "0"))
		*ret = false;
	else
		return -EINVAL;

	return 0;
}

int tdx_model_parse_duration(const char *text, u64 *ret_nsec)
{
	static const struct {
		const char *name;
		u64 nsec;
	} units[] = {
		{ "", NSEC_PER_SECOND },
		{ "s", NSEC_PER_SECOND },
		{ "ms", 1000000 },
		{ "us", 1000 },
		{ "ns", 1 },
		{ "m", 60 * NSEC_PER_SECOND },
	};
	u64 whole, fraction = 0, scale = 1;
	size_t i;

	if (take_number(&text, 10, 1ULL << 30, &whole))
		return -EINVAL;
	if (*text == '.') {
		const char *digits = ++text;

		if (take_number(&text, 10, 999999999, &fraction))
			return -EINVAL;
		for (; digits < text; digits++)
			scale *= 10;
	}

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text, units[i].name)) {
			*ret_nsec =
				whole * units[i].nsec + fraction * units[i].nsec / scale;
			return 0;
		}

	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

char *tdx_model_next_word(char **cursor)
{
	char *word = *cursor, *end;

	while (is_blank(*word))
		word++;
	if (!*word)
		return NULL;

	for (end = word; *end && !is_blank(*end); end++)
		;
	if (*end)
		*end++ = '\0';
	*cursor = end;

	return word;
}

char *tdx_model_split_value(char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';

	return value;
}

/* A measurement is of one version. */
static int set_version(struct tdx_model_facts *facts, const char *value)
{
	if (tdx_model_parse_version(value, &facts->version))
		return -EINVAL;

	memset(facts->mrseam, 0, sizeof(facts->mrseam));
	return 0;
}

int tdx_model_facts_set(struct tdx_model_facts *facts, const char *key, const char *value)
{
	struct {
		const char *key;
		u16 *ret;
	} numbers[] = {
		{ "ctx", &facts->ctx },
		{ "svn", &facts->svn },
		{ "hv", &facts->module_hv },
		{ "min_hv", &facts->min_update_hv },
	};
	u64 number;
	size_t i;

	if (!strcmp(key, "version"))
		return set_version(facts, value);
	if (!strcmp(key, "mrseam"))
		return tdx_model_parse_digest(value, facts->mrseam);
	if (!strcmp(key, "min_seamldr"))
		return tdx_model_parse_version(value, &facts->min_seamldr);
	if (!strcmp(key, "features0"))
		return tdx_model_parse_number(value, ~0ULL, &facts->features0);
	if (!strcmp(key, "no_downgrade"))
		return tdx_model_parse_bool(value, &facts->no_downgrade);

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(key, numbers[i].key))
			continue;
		if (tdx_model_parse_number(value, 0xFFFF, &number))
			return -EINVAL;
		*numbers[i].ret = (u16)number;
		return 0;
	}

	return -ENOENT;
}

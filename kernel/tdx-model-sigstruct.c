// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * An image: Linux's look at its header, P-SEAMLDR's look at its SIGSTRUCT. Everything
 * that needs arithmetic is done when the image is taken, since the loader's turn comes
 * under stop_machine().
 */
#include "tdx-model-internal.h"

#define HEADER_VERSION    0x200
#define SIGSTRUCT_BYTES   2048
#define SIGNED_HEAD       128
#define MODULUS_OFFSET    128
#define SIGNATURE_OFFSET  516
#define SIGNED_BODY       900
#define SEAMHASH_OFFSET   900
#define SVN_OFFSET        948
#define CPU_COUNT_OFFSET  1024
#define CPU_TABLE_OFFSET  1028
#define CPU_COUNT_MAX     255
#define MODULE_TYPE_DEBUG 0x80000000U
#define STEPPING_MASK     0xFU

/* Where Linux's memory of the image is (simulation); aligned is all that matters. */
#define IMAGE_ADDRESS 0x100000000ULL

static const char test_module_line[] = "TDXUPD-TEST-MODULE ";

static u16 le16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static u32 le32(const u8 *p)
{
	return le16(p) | (u32)le16(p + 2) << 16;
}

static u64 le64(const u8 *p)
{
	return le32(p) | (u64)le32(p + 4) << 32;
}

static bool is_zero(const u8 *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (bytes[i])
			return false;

	return true;
}

/* arch/x86/virt/vmx/tdx/seamldr.c, in its order; the checksum is not looked at. */
static bool is_header_valid(const u8 *bytes, size_t size)
{
	u64 sigstruct_pages, module_pages;

	if (size < TDX_MODEL_PAGE_BYTES)
		return false;

	sigstruct_pages = le32(bytes + 12);
	module_pages = le32(bytes + 16);
	if ((1 + sigstruct_pages + module_pages) * TDX_MODEL_PAGE_BYTES != size)
		return false;
	if (le16(bytes) != HEADER_VERSION)
		return false;
	if (sigstruct_pages != 1 || module_pages > TDX_MODEL_MODULE_PAGES_MAX)
		return false;
	if (memcmp(bytes + 4, "TDX-BLOB", 8))
		return false;

	return is_zero(bytes + 20, TDX_MODEL_PAGE_BYTES - 20);
}

static void make_params(struct tdx_model_params *params, size_t size)
{
	u64 i;

	params->scenario = TDX_MODEL_SCENARIO_UPDATE;
	params->sigstruct = IMAGE_ADDRESS + TDX_MODEL_PAGE_BYTES;
	params->page_count = size / TDX_MODEL_PAGE_BYTES - 2;
	for (i = 0; i < params->page_count; i++)
		params->pages[i] = IMAGE_ADDRESS + (2 + i) * TDX_MODEL_PAGE_BYTES;
}

static void reverse(const u8 *in, u8 *ret, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		ret[i] = in[count - 1 - i];
}

/* PKCS#1 v1.5 of a SHA-384, in place of a parser: there is only one right padding. */
static bool is_padded_digest(const u8 *message, const u8 digest[TDX_MODEL_DIGEST_BYTES])
{
	static const u8 info[] = { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60,
				   0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
				   0x02, 0x05, 0x00, 0x04, 0x30 };
	size_t digest_at = TDX_PORT_RSA_BYTES - TDX_MODEL_DIGEST_BYTES;
	size_t info_at = digest_at - sizeof(info);
	size_t i;

	if (message[0] != 0 || message[1] != 1 || message[info_at - 1] != 0)
		return false;
	for (i = 2; i < info_at - 1; i++)
		if (message[i] != 0xFF)
			return false;

	return !memcmp(message + info_at, info, sizeof(info)) &&
	       !memcmp(message + digest_at, digest, TDX_MODEL_DIGEST_BYTES);
}

/* A signature that there was no memory to look at is neither right nor wrong. */
static int check_signature(const u8 *sigstruct, const u8 *digest, bool *ret_is_valid)
{
	struct {
		u8 modulus[TDX_PORT_RSA_BYTES];
		u8 signature[TDX_PORT_RSA_BYTES];
		u8 message[TDX_PORT_RSA_BYTES];
	} *rsa = tdx_port_alloc(sizeof(*rsa));
	int error;

	if (!rsa)
		return -ENOMEM;

	reverse(sigstruct + MODULUS_OFFSET, rsa->modulus, TDX_PORT_RSA_BYTES);
	reverse(sigstruct + SIGNATURE_OFFSET, rsa->signature, TDX_PORT_RSA_BYTES);
	error = tdx_port_rsa_public(rsa->modulus, le32(sigstruct + 512), rsa->signature,
				    rsa->message);
	*ret_is_valid = !error && is_padded_digest(rsa->message, digest);
	tdx_port_free(rsa);

	return error == -ENOMEM ? error : 0;
}

static int hash_image(struct tdx_model_image *image, const u8 *module,
		      size_t module_bytes)
{
	u8 digest[TDX_MODEL_DIGEST_BYTES];
	struct tdx_port_sha384 *hash;
	const u8 *sigstruct = image->sigstruct;
	int ret = tdx_port_sha384_new(&hash);

	if (ret)
		return ret;

	tdx_port_sha384_start(hash);
	tdx_port_sha384_add(hash, module, module_bytes);
	tdx_port_sha384_finish(hash, image->seamhash);

	tdx_port_sha384_start(hash);
	tdx_port_sha384_add(hash, sigstruct + MODULUS_OFFSET, TDX_PORT_RSA_BYTES);
	tdx_port_sha384_finish(hash, image->signer);

	tdx_port_sha384_start(hash);
	tdx_port_sha384_add(hash, sigstruct, SIGNED_HEAD);
	tdx_port_sha384_add(hash, sigstruct + SIGNED_BODY, SIGSTRUCT_BYTES - SIGNED_BODY);
	tdx_port_sha384_finish(hash, digest);
	tdx_port_sha384_free(hash);

	return check_signature(sigstruct, digest, &image->is_signed);
}

/* A synthetic module says on its first line what a real one would answer to SYS.RD. */
static void read_test_line(struct tdx_model_image *image, const u8 *module, size_t bytes)
{
	size_t prefix = sizeof(test_module_line) - 1;
	char line[256], *cursor = line, *word, *value;
	size_t i;

	if (bytes < sizeof(line) || memcmp(module, test_module_line, prefix))
		return;

	for (i = 0; i < sizeof(line) - 1 && module[prefix + i] != '\n'; i++)
		line[i] = (char)module[prefix + i];
	line[i] = '\0';

	while ((word = tdx_model_next_word(&cursor))) {
		value = tdx_model_split_value(word);
		if (value && !tdx_model_facts_set(&image->facts, word, value) &&
		    !strcmp(word, "version"))
			image->is_described = true;
	}
}

static void read_known(const struct tdx_model *model, struct tdx_model_image *image)
{
	const struct tdx_model_known *known;

	for (known = model->known; known; known = known->next) {
		if (memcmp(known->mrseam, image->seamhash, TDX_MODEL_DIGEST_BYTES))
			continue;
		image->is_described = true;
		image->facts.version = known->version;
		if (known->has_features0)
			image->facts.features0 = known->features0;
		if (known->has_ctx)
			image->facts.ctx = known->ctx;
		image->facts.min_seamldr = known->min_seamldr;
		return;
	}
}

/*
 * SIGSTRUCT has these; the rest is told by `known` or by the first line. Simulation: a
 * module that nobody describes has the features of the one that runs, and every SVN
 * hashes in its own way.
 */
static void read_facts(const struct tdx_model *model, struct tdx_model_image *image,
		       const u8 *module, size_t module_bytes)
{
	struct tdx_model_facts *facts = &image->facts;
	const u8 *sigstruct = image->sigstruct;

	facts->svn = le16(sigstruct + SVN_OFFSET);
	facts->features0 = model->module.facts.features0;
	facts->ctx = facts->svn;
	read_test_line(image, module, module_bytes);
	read_known(model, image);

	facts->svn = le16(sigstruct + SVN_OFFSET);
	facts->module_hv = le16(sigstruct + 984);
	facts->min_update_hv = le16(sigstruct + 986);
	facts->no_downgrade = sigstruct[988];
	facts->handoff_pages = le16(sigstruct + 990);
	memcpy(facts->mrseam, image->seamhash, sizeof(facts->mrseam));
}

int tdx_model_image_assemble(struct tdx_model *model,
			     const struct tdx_model_params *params, const u8 *sigstruct,
			     const u8 *module, size_t bytes, struct tdx_model_image **ret)
{
	struct tdx_model_image *image = tdx_port_alloc(sizeof(*image));
	int error;

	if (!image)
		return -ENOMEM;

	memcpy(image->sigstruct, sigstruct, SIGSTRUCT_BYTES);
	image->params = *params;
	error = hash_image(image, module, bytes);
	if (error) {
		tdx_model_image_free(image);
		return error;
	}
	read_facts(model, image, module, bytes);

	*ret = image;
	return 0;
}

int tdx_model_image_new(struct tdx_model *model, const u8 *bytes, size_t size,
			struct tdx_model_image **ret)
{
	struct tdx_model_params *params;
	int error;

	if (!is_header_valid(bytes, size))
		return -EINVAL;

	/* A page, and a kernel's stack is not made for it. */
	params = tdx_port_alloc(sizeof(*params));
	if (!params)
		return -ENOMEM;
	make_params(params, size);
	error = tdx_model_image_assemble(model, params, bytes + TDX_MODEL_PAGE_BYTES,
					 bytes + 2 * TDX_MODEL_PAGE_BYTES,
					 size - 2 * TDX_MODEL_PAGE_BYTES, ret);
	tdx_port_free(params);

	return error;
}

struct tdx_model_image *tdx_model_image_free(struct tdx_model_image *image)
{
	tdx_port_free(image);
	return NULL;
}

/* Bytes 1000 to 1023 are called reserved too, but the published 2.0 modules use them. */
static bool has_valid_fields(const u8 *sigstruct)
{
	static const struct {
		u16 offset;
		u32 value;
	} constants[] = {
		{ 0, 6 },     { 4, 0xE1 },  { 8, 0x10000 }, { 16, 0x8086 }, { 24, 0x200 },
		{ 28, 0x60 }, { 32, 0x60 }, { 36, 1 },      { 512, 65537 },
	};
	size_t i;

	for (i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (le32(sigstruct + constants[i].offset) != constants[i].value)
			return false;

	return !(le32(sigstruct + 12) & ~MODULE_TYPE_DEBUG) &&
	       is_zero(sigstruct + 40, 88) && !le64(sigstruct + 950) &&
	       le16(sigstruct + 986) <= le16(sigstruct + 984) &&
	       le32(sigstruct + CPU_COUNT_OFFSET) <= CPU_COUNT_MAX;
}

static bool is_trusted(const struct tdx_model_loader *loader, const u8 *signer)
{
	unsigned int i;

	for (i = 0; i < loader->trust_count; i++)
		if (!memcmp(loader->trust[i], signer, TDX_MODEL_DIGEST_BYTES))
			return true;

	return loader->is_anyone_trusted;
}

/* Simulation: an older loader does not know what to do with the module. */
static bool is_loader_too_old(const struct tdx_model *model,
			      const struct tdx_model_image *image)
{
	const struct tdx_model_version *has = &model->loader.version;
	const struct tdx_model_version *needs = &image->facts.min_seamldr;

	if (has->major != needs->major)
		return has->major < needs->major;
	if (has->minor != needs->minor)
		return has->minor < needs->minor;

	return has->update < needs->update;
}

static u64 check_svn(const struct tdx_model *model, const struct tdx_model_image *image)
{
	u16 old = model->module.facts.svn, new = image->facts.svn;
	bool is_update = image->params.scenario == TDX_MODEL_SCENARIO_UPDATE;

	if (is_loader_too_old(model, image))
		return SEAMLDR_EUNSUPPORTED;
	if (!(new >> 8) || (is_update && new >> 8 != old >> 8))
		return SEAMLDR_EUNSUPPORTED;
	if (is_update && (new & 0xFF) < (old & 0xFF))
		return SEAMLDR_EBADSIG;

	return 0;
}

static bool is_cpu_listed(const u8 *sigstruct, u32 signature)
{
	u32 count = le32(sigstruct + CPU_COUNT_OFFSET), i, entry;

	for (i = 0; i < count; i++) {
		entry = le32(sigstruct + CPU_TABLE_OFFSET + 4 * i);
		if (!((entry ^ signature) & ~STEPPING_MASK))
			return true;
	}

	return false;
}

static u64 check_cpus(const struct tdx_model *model, const u8 *sigstruct)
{
	unsigned int i;

	if (!le32(sigstruct + CPU_COUNT_OFFSET))
		return SEAMLDR_EBADSIG;
	for (i = 0; i < model->package_count; i++)
		if (!is_cpu_listed(sigstruct, model->signatures[i]))
			return SEAMLDR_EUNSUPCPU;

	return 0;
}

u64 tdx_model_sigstruct_check(const struct tdx_model *model,
			      const struct tdx_model_image *image)
{
	const u8 *sigstruct = image->sigstruct;
	u64 status;

	if (!has_valid_fields(sigstruct))
		return SEAMLDR_EBADSIG;
	if (!is_trusted(&model->loader, image->signer))
		return SEAMLDR_EBADSIG;
	/* Simulation: every platform is a locked one. */
	if (le32(sigstruct + 12) & MODULE_TYPE_DEBUG)
		return SEAMLDR_EBADSIG;

	status = check_svn(model, image) ?: check_cpus(model, sigstruct);
	if (status)
		return status;

	return image->is_signed ? 0 : SEAMLDR_EBADSIG;
}

/* Simulation: code and data, each LP's stack and thread area, and the handoff data. */
u64 tdx_model_sigstruct_memory_pages(const struct tdx_model *model,
				     const struct tdx_model_image *image)
{
	const u8 *sigstruct = image->sigstruct;
	u64 per_lp = (u64)sigstruct[962] + sigstruct[963];

	return image->params.page_count + model->lp_count * per_lp +
	       le16(sigstruct + 966) + le16(sigstruct + 990) + 1;
}

bool tdx_model_sigstruct_has_hash(const struct tdx_model_image *image)
{
	return !memcmp(image->sigstruct + SEAMHASH_OFFSET, image->seamhash,
		       TDX_MODEL_DIGEST_BYTES);
}

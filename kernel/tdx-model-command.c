// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The command language of the simulated machine, the same in simhost's socket and in
 * tdx-host-sim.ko's debugfs. A command is one line of words; the answer is lines, the
 * last one "ok" or "error NAME text".
 *
 *   status                       what the machine is and how it is
 *   boot [FACT...]               power off and on; FACTs change the module that firmware
 *                                loads: version=1.5.06 features0=0x.. ctx=N svn=0x0106
 *                                hv=N min_hv=N no_downgrade=yes, mrseam=DIGEST behind
 *                                the version that it is of
 *   set KEY=VALUE...             cpu=SIGNATURE[,SIGNATURE] (one a package; always
 *                                hexadecimal: C06F2)
 *                                seamldr=1.5.00 remaining=N seam-pages=N
 *                                install-time=DURATION (each LP's INSTALL takes it)
 *                                patch=none|blind|bit (who passes the shutdown flag)
 *                                detect=yes (SYS.UPDATE asks for foreign hashes)
 *                                guard=yes (a kernel that counts TD builds)
 *                                cpu-bug=yes (seamret_invd_vmcs; from the next boot)
 *   known MRSEAM FACT...         what the module of that hash is: version, features0,
 *                                ctx, min_seamldr=1.5.00
 *   trust SIGNER|any|none        add to the signers that P-SEAMLDR has built in
 *   lp offline|online N          an LP that will make no calls
 *   fail none                    forget all of these:
 *   fail module-entropy=N        the next N calls that need it find no entropy
 *   fail loader-entropy=N        the same for P-SEAMLDR
 *   fail sys-busy=N              the next N SYS.SHUTDOWN answer SYS_BUSY
 *   fail info=N [status=S]       the next N SEAMLDR.INFO fail
 *   fail td-init=N               the next N TDs have parameters that MNG.INIT refuses
 *   fail step=shutdown|install|init|update [lp=N] [status=S] [count=N]
 *   td ..., tdr list             tdx-model-command-td.c
 */
#include "tdx-model-command.h"

/* An answer too long for its buffer loses lines, never the one that says how it went. */
#define LAST_LINE_BYTES 128

static const char *errno_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ EBUSY, "EBUSY" },   { EEXIST, "EEXIST" },   { EINVAL, "EINVAL" },
		{ EIO, "EIO" },       { ENODATA, "ENODATA" }, { ENOENT, "ENOENT" },
		{ ENOMEM, "ENOMEM" }, { ENOSPC, "ENOSPC" },   { EPERM, "EPERM" },
		{ ESRCH, "ESRCH" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].error == -error)
			return names[i].name;

	return "EOTHER";
}

int tdx_model_refuse(struct tdx_model_command *command, int error, const char *why)
{
	command->why = why;
	return error;
}

int tdx_model_take_option(struct tdx_model_command *command, char **ret_key,
			  char **ret_value)
{
	char *word = tdx_model_next_word(&command->cursor);

	if (!word)
		return 0;

	*ret_value = tdx_model_split_value(word);
	if (!*ret_value)
		return tdx_model_refuse(command, -EINVAL, "KEY=VALUE is expected");

	*ret_key = word;
	return 1;
}

static void add_version(struct tdx_model_text *text, const char *key,
			const struct tdx_model_version *version)
{
	tdx_model_text_add(text, "%s %u.%u.%02u\n", key, version->major, version->minor,
			   version->update);
}

static void add_offline(struct tdx_model_command *command)
{
	struct tdx_model *model = command->model;
	unsigned int lp;

	tdx_model_text_add(command->text, "lps %u offline", model->lp_count);
	for (lp = 0; lp < model->lp_count; lp++)
		if (model->is_offline[lp])
			tdx_model_text_add(command->text, " %u", lp);
	tdx_model_text_add(command->text, "\n");
}

static int do_status(struct tdx_model_command *command)
{
	static const char *const states[] = { "init-pending", "init-done", "config-done",
					      "ready", "shutdown" };
	struct tdx_model *model = command->model;
	const struct tdx_model_facts *facts = &model->module.facts;
	struct tdx_model_text *text = command->text;

	tdx_model_text_add(text, "tdx %s\n", model->host.is_live ? "live" : "lost");
	add_version(text, "version", &facts->version);
	tdx_model_text_add(text, "features0 0x%016llx\n", facts->features0);
	tdx_model_text_add(text, "svn 0x%04x ctx %u hv %u..%u\n", facts->svn, facts->ctx,
			   facts->min_update_hv, facts->module_hv);
	tdx_model_text_add(text, "state %s%s\n", states[model->module.state],
			   model->loader.is_seam_ready ? "" : " unreachable");
	add_version(text, "seamldr", &model->loader.version);
	tdx_model_text_add(text, "remaining %u updates %u\n", model->loader.remaining,
			   model->host.updates);
	add_offline(command);
	tdx_model_text_add(text, "tds %u building %u counted %u\n",
			   tdx_model_td_count(model), model->host.building,
			   model->module.td_build_count);
	tdx_model_text_add(text, "mrtd right %u wrong %u\n", model->counts.right,
			   model->counts.wrong);
	tdx_model_text_add(text, "builds aborted %u dead %u\n", model->counts.aborted,
			   model->counts.dead);
	if (model->host.has_last)
		tdx_model_text_add(text, "last 0x%llx 0x%016llx\n", model->host.last.leaf,
				   model->host.last.status);

	return 0;
}

static int do_boot(struct tdx_model_command *command)
{
	struct tdx_model_facts facts = command->model->boot_facts;
	char *key, *value;
	int ret;

	while ((ret = tdx_model_take_option(command, &key, &value)) > 0)
		if (tdx_model_facts_set(&facts, key, value))
			return tdx_model_refuse(command, -EINVAL,
						"not a fact of a module");
	if (ret)
		return ret;

	command->model->boot_facts = facts;
	tdx_model_reboot(command->model);
	return 0;
}

static int set_cpu(struct tdx_model *model, char *value)
{
	u32 signatures[TDX_MODEL_PACKAGES_MAX];
	unsigned int count = 0;
	u32 signature;
	char *next;

	for (; value; value = next) {
		next = strchr(value, ',');
		if (next)
			*next++ = '\0';
		if (count == TDX_MODEL_PACKAGES_MAX || count == model->lp_count ||
		    tdx_model_parse_signature(value, &signature))
			return -EINVAL;
		signatures[count++] = signature;
	}
	/* Packages of a TD that exists are in its keys. */
	if (model->tdrs && count != model->package_count)
		return -EBUSY;

	memcpy(model->signatures, signatures, count * sizeof(signatures[0]));
	model->package_count = count;
	return 0;
}

static int set_patch(struct tdx_model *model, const char *value)
{
	static const char *const names[] = { "none", "blind", "bit" };
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(value, names[i])) {
			model->host.patch = i;
			return 0;
		}

	return -EINVAL;
}

static int set_flag(struct tdx_model *model, const char *key, const char *value)
{
	if (!strcmp(key, "detect"))
		return tdx_model_parse_bool(value, &model->host.is_detecting);
	if (!strcmp(key, "guard"))
		return tdx_model_parse_bool(value, &model->host.is_guarding);
	if (!strcmp(key, "cpu-bug"))
		return tdx_model_parse_bool(value, &model->host.has_cpu_bug);

	return -ENOENT;
}

static int set_one(struct tdx_model *model, const char *key, char *value)
{
	u64 number;

	if (!strcmp(key, "cpu"))
		return set_cpu(model, value);
	if (!strcmp(key, "patch"))
		return set_patch(model, value);
	if (!strcmp(key, "seamldr"))
		return tdx_model_parse_version(value, &model->loader.version);
	if (!strcmp(key, "install-time"))
		return tdx_model_parse_duration(value, &model->host.install_nsec);
	if (!strcmp(key, "seam-pages"))
		return tdx_model_parse_number(value, ~0ULL, &model->loader.seam_pages);
	if (!strcmp(key, "remaining")) {
		if (tdx_model_parse_number(value, 0xFFFFFFFF, &number))
			return -EINVAL;
		model->loader.remaining = (u32)number;
		return 0;
	}

	return set_flag(model, key, value);
}

static int do_set(struct tdx_model_command *command)
{
	char *key, *value;
	int ret;

	while ((ret = tdx_model_take_option(command, &key, &value)) > 0) {
		ret = set_one(command->model, key, value);
		if (ret == -ENOENT)
			return tdx_model_refuse(command, -EINVAL, "no such key");
		if (ret)
			return tdx_model_refuse(command, ret, "not a value for this key");
	}

	return ret;
}

static int do_known(struct tdx_model_command *command)
{
	struct tdx_model_known known = { 0 }, *copy;
	struct tdx_model_facts facts = { 0 };
	char *word = tdx_model_next_word(&command->cursor), *key, *value;
	int ret;

	if (!word || tdx_model_parse_digest(word, known.mrseam))
		return tdx_model_refuse(command, -EINVAL, "MRSEAM has 96 hex digits");
	while ((ret = tdx_model_take_option(command, &key, &value)) > 0) {
		if (tdx_model_facts_set(&facts, key, value))
			return tdx_model_refuse(command, -EINVAL,
						"not a fact of a module");
		known.has_features0 |= !strcmp(key, "features0");
		known.has_ctx |= !strcmp(key, "ctx");
	}
	if (ret)
		return ret;

	copy = tdx_port_alloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	known.version = facts.version;
	known.features0 = facts.features0;
	known.ctx = facts.ctx;
	known.min_seamldr = facts.min_seamldr;
	known.next = command->model->known; /* the latest word on a hash counts */
	*copy = known;
	command->model->known = copy;

	return 0;
}

static int do_trust(struct tdx_model_command *command)
{
	struct tdx_model_loader *loader = &command->model->loader;
	char *word = tdx_model_next_word(&command->cursor);

	if (!word)
		return tdx_model_refuse(command, -EINVAL, "whom?");
	if (!strcmp(word, "any") || !strcmp(word, "none")) {
		loader->is_anyone_trusted = word[0] == 'a';
		if (!loader->is_anyone_trusted)
			loader->trust_count = 0;
		return 0;
	}
	if (loader->trust_count == TDX_MODEL_TRUST_MAX)
		return tdx_model_refuse(command, -ENOSPC, "too many signers");
	if (tdx_model_parse_digest(word, loader->trust[loader->trust_count]))
		return tdx_model_refuse(command, -EINVAL, "a signer has 96 hex digits");

	loader->trust_count++;
	return 0;
}

static int do_lp(struct tdx_model_command *command)
{
	struct tdx_model *model = command->model;
	char *verb = tdx_model_next_word(&command->cursor);
	char *word = tdx_model_next_word(&command->cursor);
	u64 lp;

	if (!verb || (strcmp(verb, "offline") && strcmp(verb, "online")))
		return tdx_model_refuse(command, -EINVAL, "lp offline|online N");
	if (!word || tdx_model_parse_number(word, model->lp_count - 1, &lp))
		return tdx_model_refuse(command, -EINVAL, "no such LP");
	/* x86 does not take it down, and it makes the calls that only one LP makes. */
	if (!lp)
		return tdx_model_refuse(command, -EPERM, "LP 0 stays online");

	model->is_offline[lp] = !strcmp(verb, "offline");
	return 0;
}

static int set_step(struct tdx_model_faults *faults, const char *value)
{
	static const char *const names[_TDX_MODEL_STEP_MAX] = {
		[TDX_MODEL_STEP_SHUTDOWN] = "shutdown",
		[TDX_MODEL_STEP_CPU_INSTALL] = "install",
		[TDX_MODEL_STEP_CPU_INIT] = "init",
		[TDX_MODEL_STEP_RUN_UPDATE] = "update",
	};
	static const u64 statuses[_TDX_MODEL_STEP_MAX] = {
		[TDX_MODEL_STEP_SHUTDOWN] = TDX_SYS_BUSY,
		[TDX_MODEL_STEP_CPU_INSTALL] = SEAMLDR_EUNSPECERR,
		[TDX_MODEL_STEP_CPU_INIT] = TDX_SYS_LP_INIT_NOT_PENDING,
		[TDX_MODEL_STEP_RUN_UPDATE] = TDX_SYS_STATE_INCORRECT,
	};
	unsigned int step;

	for (step = 0; step < _TDX_MODEL_STEP_MAX; step++)
		if (!strcmp(value, names[step])) {
			faults->step = step;
			faults->step_lp = 0;
			faults->step_count = 1;
			faults->step_status = statuses[step];
			return 0;
		}

	return -EINVAL;
}

static int fail_one(struct tdx_model_faults *faults, const char *key, const char *value)
{
	u64 number;

	if (!strcmp(key, "step"))
		return set_step(faults, value);
	if (tdx_model_parse_number(value, ~0ULL, &number))
		return -EINVAL;

	if (!strcmp(key, "status"))
		faults->step_status = faults->loader_info_status = number;
	else if (number > 0xFFFFFFFF)
		return -EINVAL;
	else if (!strcmp(key, "module-entropy"))
		faults->module_entropy = (unsigned int)number;
	else if (!strcmp(key, "loader-entropy"))
		faults->loader_entropy = (unsigned int)number;
	else if (!strcmp(key, "sys-busy"))
		faults->sys_busy = (unsigned int)number;
	else if (!strcmp(key, "info"))
		faults->loader_info = (unsigned int)number;
	else if (!strcmp(key, "td-init"))
		faults->td_init = (unsigned int)number;
	else if (!strcmp(key, "lp"))
		faults->step_lp = (unsigned int)number;
	else if (!strcmp(key, "count"))
		faults->step_count = (unsigned int)number;
	else
		return -EINVAL;

	return 0;
}

static int do_fail(struct tdx_model_command *command)
{
	struct tdx_model_faults *faults = &command->model->faults;
	struct tdx_model_faults changed = *faults;
	char *word, *value;

	word = tdx_model_next_word(&command->cursor);
	if (!word)
		return tdx_model_refuse(command, -EINVAL, "what?");
	changed.loader_info_status = SEAMLDR_EUNSPECERR;
	for (; word; word = tdx_model_next_word(&command->cursor)) {
		value = tdx_model_split_value(word);
		if (!value && !strcmp(word, "none"))
			memset(&changed, 0, sizeof(changed));
		else if (!value || fail_one(&changed, word, value))
			return tdx_model_refuse(command, -EINVAL, "no such fault");
	}
	*faults = changed;

	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct tdx_model_command *command);
} commands[] = {
	{ "boot", do_boot },
	{ "fail", do_fail },
	{ "known", do_known },
	{ "lp", do_lp },
	{ "set", do_set },
	{ "status", do_status },
	{ "td", tdx_model_command_td },
	{ "tdr", tdx_model_command_tdr },
	{ "trust", do_trust },
};

static int run_words(struct tdx_model_command *command)
{
	char *name = tdx_model_next_word(&command->cursor);
	size_t i;

	for (i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(command);

	command->is_foreign = true;
	return -ENOENT;
}

int tdx_model_command(struct tdx_model *model, const char *line, char *ret, size_t size)
{
	struct tdx_model_text text = { .buffer = ret, .size = size - LAST_LINE_BYTES };
	struct tdx_model_command command = { .model = model, .text = &text };
	size_t length = strlen(line);
	char *copy;
	int error;

	if (size < 2 * LAST_LINE_BYTES)
		return -EINVAL;
	copy = tdx_port_alloc(length + 1);
	if (!copy)
		return -ENOMEM;

	memcpy(copy, line, length);
	command.cursor = copy;
	error = run_words(&command);
	if (!error && tdx_model_next_word(&command.cursor))
		error = tdx_model_refuse(&command, -EINVAL,
					 "done, but for surplus words");
	tdx_port_free(copy);

	if (command.is_foreign)
		return -ENOENT;
	text.size = size;
	if (error) {
		text.used = 0;
		tdx_model_text_add(&text, "error %s %s\n", errno_name(error),
				   command.why ? command.why : "failed");
		return error;
	}
	tdx_model_text_add(&text, "ok\n");

	return 0;
}

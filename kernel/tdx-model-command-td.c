// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The commands for TDs (tdx-model-command.c has the rest):
 *
 *   td build NAME DURATION [OPTION...]   begin a build that takes DURATION from MNG.INIT
 *                                        to MR.FINALIZE and goes on by itself
 *   td build NAME manual [OPTION...]     one that goes on with `td step` only
 *       pages=N vcpus=N measured=no      its shape
 *       pause-after=CALL hang-after=CALL
 *       lifetime=DURATION                ends by itself that long after its build
 *   td step NAME [COUNT|CALL]            make COUNT calls, or all up to a CALL: create
 *                                        key-config addcx init vp-create vp-addcx vp-init
 *                                        sept-add page-add extend finalize
 *   td pause|resume|hang NAME
 *   td abort NAME                        its VM manager goes away; in any state
 *   td enter NAME                        run it: does it live?
 *   td mrtd NAME                         what was measured, and what should have been
 *   td migrate NAME interrupt|resume     an EXPORT.STATE call half done
 *   td list
 *   tdr list                     the same as the module sees them, whoever made them, and
 *                                what no host can know: updates that came in the middle
 *                                of a build, measurements that are wrong
 */
#include "tdx-model-command.h"

static int take_td(struct tdx_model_command *command, struct tdx_model_td **ret)
{
	char *name = tdx_model_next_word(&command->cursor);

	if (!name)
		return tdx_model_refuse(command, -EINVAL, "which TD?");
	*ret = tdx_model_build_find(command->model, name);
	if (!*ret)
		return tdx_model_refuse(command, -ESRCH, "no such TD");

	return 0;
}

static int set_shape(struct tdx_model_build_spec *spec, const char *key,
		     const char *value)
{
	u64 number;

	if (!strcmp(key, "measured"))
		return tdx_model_parse_bool(value, &spec->is_measured);
	if (!strcmp(key, "lifetime"))
		return tdx_model_parse_duration(value, &spec->lifetime_nsec);
	if (!strcmp(key, "pause-after") || !strcmp(key, "hang-after")) {
		spec->does_hang = key[0] == 'h';
		spec->stop_after = tdx_model_build_call_find(value);
		return spec->stop_after == _TDX_MODEL_CALL_MAX ? -EINVAL : 0;
	}

	if (tdx_model_parse_number(value, 0xFFFF, &number))
		return -EINVAL;
	if (!strcmp(key, "pages"))
		spec->page_count = (unsigned int)number;
	else if (!strcmp(key, "vcpus"))
		spec->vcpu_count = (unsigned int)number;
	else
		return -EINVAL;

	return 0;
}

static int td_build(struct tdx_model_command *command)
{
	struct tdx_model_build_spec spec = {
		.is_measured = true,
		.vcpu_count = 1,
		.page_count = 4,
		.lifetime_nsec = TDX_MODEL_NEVER,
		.stop_after = _TDX_MODEL_CALL_MAX,
	};
	char *name = tdx_model_next_word(&command->cursor);
	char *how = tdx_model_next_word(&command->cursor);
	char *key, *value;
	struct tdx_model_td *td;
	int ret;

	if (!name || !how)
		return tdx_model_refuse(command, -EINVAL,
					"td build NAME DURATION|manual");
	spec.is_timed = strcmp(how, "manual");
	if (spec.is_timed && tdx_model_parse_duration(how, &spec.duration_nsec))
		return tdx_model_refuse(command, -EINVAL, "not a duration");
	while ((ret = tdx_model_take_option(command, &key, &value)) > 0)
		if (set_shape(&spec, key, value))
			return tdx_model_refuse(command, -EINVAL, "no such option");
	if (ret)
		return ret;

	ret = tdx_model_build_new(command->model, name, &spec, &td);
	if (ret)
		return tdx_model_refuse(command, ret, "no such TD can be built");
	/* The first calls are due now: whoever asks next shall find it begun. */
	tdx_model_advance(command->model, command->model->now_nsec);

	return 0;
}

static int td_step(struct tdx_model_command *command)
{
	enum tdx_model_build_call call = _TDX_MODEL_CALL_MAX, made;
	struct tdx_model_td *td;
	u64 count = 1;
	char *word;
	int ret = take_td(command, &td);

	if (ret)
		return ret;
	word = tdx_model_next_word(&command->cursor);
	if (word && tdx_model_parse_number(word, 1000000, &count)) {
		call = tdx_model_build_call_find(word);
		if (call == _TDX_MODEL_CALL_MAX)
			return tdx_model_refuse(command, -EINVAL, "no such call");
		count = ~0ULL;
	}

	while (count--) {
		made = tdx_model_build_next(td);
		ret = tdx_model_build_step(td);
		if (ret == -ENODATA)
			return tdx_model_refuse(command, ret, "it is built");
		if (ret)
			return tdx_model_refuse(command, ret, "the call failed");
		if (made == call)
			break;
	}

	return 0;
}

static int td_pause(struct tdx_model_command *command, bool does_hang)
{
	struct tdx_model_td *td;
	int ret = take_td(command, &td);

	if (ret)
		return ret;
	ret = tdx_model_build_pause(td, does_hang);

	return ret ? tdx_model_refuse(command, ret, "it is not being built") : 0;
}

static int td_resume(struct tdx_model_command *command)
{
	struct tdx_model_td *td;
	int ret = take_td(command, &td);

	if (ret)
		return ret;
	ret = tdx_model_build_resume(td);

	return ret ? tdx_model_refuse(command, ret, "it is not paused") : 0;
}

static int td_abort(struct tdx_model_command *command)
{
	struct tdx_model_td *td;
	int ret = take_td(command, &td);

	if (ret)
		return ret;
	ret = tdx_model_build_close(td);

	return ret ? tdx_model_refuse(command, ret, "the module did not let it go") : 0;
}

static int td_enter(struct tdx_model_command *command)
{
	struct tdx_model_td *td;
	u64 status;
	int ret = take_td(command, &td);

	if (ret)
		return ret;
	status = tdx_model_build_enter(td);
	if (status)
		return tdx_model_refuse(command, -EIO, "it does not run");
	tdx_model_text_add(command->text, "%s runs\n", td->name);

	return 0;
}

static int td_mrtd(struct tdx_model_command *command)
{
	struct tdx_model_tdr *tdr;
	struct tdx_model_td *td;
	int ret = take_td(command, &td);

	if (ret)
		return ret;
	tdr = tdx_model_build_tdr(td);
	if (!tdr || td->state != TDX_MODEL_BUILD_DONE)
		return tdx_model_refuse(command, -ENODATA, "it is not finalised");

	tdx_model_text_add(command->text, "mrtd ");
	tdx_model_text_add_hex(command->text, tdr->mrtd, sizeof(tdr->mrtd));
	tdx_model_text_add(command->text, "\nexpected ");
	tdx_model_text_add_hex(command->text, td->expected, sizeof(td->expected));
	tdx_model_text_add(command->text, "\n%s\n",
			   memcmp(tdr->mrtd, td->expected, sizeof(tdr->mrtd)) ? "wrong"
									      : "right");

	return 0;
}

static int td_migrate(struct tdx_model_command *command)
{
	struct tdx_model_tdr *tdr;
	struct tdx_model_td *td;
	char *word;
	int ret = take_td(command, &td);

	if (ret)
		return ret;
	word = tdx_model_next_word(&command->cursor);
	if (!word || (strcmp(word, "interrupt") && strcmp(word, "resume")))
		return tdx_model_refuse(command, -EINVAL, "interrupt or resume?");
	tdr = tdx_model_build_tdr(td);
	if (!tdr || tdx_model_td_migrate(command->model, tdr, word[0] == 'i'))
		return tdx_model_refuse(command, -EIO, "the call failed");

	return 0;
}

static int td_list(struct tdx_model_command *command)
{
	struct tdx_model_td *td;

	for (td = command->model->tds; td; td = td->next) {
		tdx_model_text_add(command->text, "%s %s next=%s hkid=%u", td->name,
				   tdx_model_build_state_name(td),
				   tdx_model_build_call_name(tdx_model_build_next(td)),
				   td->hkid);
		if (td->failed_status)
			tdx_model_text_add(command->text, " status=0x%016llx",
					   td->failed_status);
		tdx_model_text_add(command->text, "\n");
	}

	return 0;
}

int tdx_model_command_td(struct tdx_model_command *command)
{
	char *verb = tdx_model_next_word(&command->cursor);
	static const struct {
		const char *name;
		int (*run)(struct tdx_model_command *command);
	} verbs[] = {
		{ "abort", td_abort },   { "build", td_build },     { "enter", td_enter },
		{ "list", td_list },     { "migrate", td_migrate }, { "mrtd", td_mrtd },
		{ "resume", td_resume }, { "step", td_step },
	};
	size_t i;

	if (!verb)
		return tdx_model_refuse(command, -EINVAL, "td what?");
	if (!strcmp(verb, "pause") || !strcmp(verb, "hang"))
		return td_pause(command, verb[0] == 'h');
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verb, verbs[i].name))
			return verbs[i].run(command);

	return tdx_model_refuse(command, -EINVAL, "no such td command");
}

static const char *op_name(enum tdx_model_op_state state)
{
	static const char *const names[] = { "uninitialized", "initialized", "runnable" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "migrating";
}

int tdx_model_command_tdr(struct tdx_model_command *command)
{
	char *verb = tdx_model_next_word(&command->cursor);
	const struct tdx_model *model = command->model;
	struct tdx_model_text *text = command->text;
	const struct tdx_model_tdr *td;

	if (!verb || strcmp(verb, "list"))
		return tdx_model_refuse(command, -EINVAL, "tdr list");

	tdx_model_text_add(text, "shutdowns %u in-build %u\n", model->seen.shutdowns,
			   model->seen.shutdowns_in_build);
	tdx_model_text_add(text, "finalized %u wrong-mrtd %u\n", model->seen.finalized,
			   model->seen.wrong_mrtd);
	for (td = model->tdrs; td; td = td->next) {
		tdx_model_text_add(text, "0x%llx hkid=%u %s", td->address, td->hkid,
				   op_name(td->op_state));
		if (td->op_state == TDX_MODEL_OP_RUNNABLE) {
			tdx_model_text_add(
				text, " %s mrtd=", td->is_mrtd_right ? "right" : "wrong");
			tdx_model_text_add_hex(text, td->mrtd, sizeof(td->mrtd));
		}
		tdx_model_text_add(text, "\n");
	}

	return 0;
}

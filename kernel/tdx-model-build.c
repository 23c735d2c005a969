// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * VM managers: TDs by name, each on its way from MNG.CREATE to MR.FINALIZE, by the clock
 * or call by call, paused, hung, abandoned, dead.
 */
#include "tdx-model-internal.h"

#define CHUNKS_A_PAGE 16
#define CALLS_A_VCPU  3

static const char *const call_names[_TDX_MODEL_CALL_MAX] = {
	[TDX_MODEL_CALL_CREATE] = "create",
	[TDX_MODEL_CALL_KEY_CONFIG] = "key-config",
	[TDX_MODEL_CALL_ADDCX] = "addcx",
	[TDX_MODEL_CALL_INIT] = "init",
	[TDX_MODEL_CALL_VP_CREATE] = "vp-create",
	[TDX_MODEL_CALL_VP_ADDCX] = "vp-addcx",
	[TDX_MODEL_CALL_VP_INIT] = "vp-init",
	[TDX_MODEL_CALL_SEPT_ADD] = "sept-add",
	[TDX_MODEL_CALL_PAGE_ADD] = "page-add",
	[TDX_MODEL_CALL_EXTEND] = "extend",
	[TDX_MODEL_CALL_FINALIZE] = "finalize",
};

const char *tdx_model_build_call_name(enum tdx_model_build_call call)
{
	return call < _TDX_MODEL_CALL_MAX ? call_names[call] : "none";
}

enum tdx_model_build_call tdx_model_build_call_find(const char *name)
{
	unsigned int call;

	for (call = 0; call < _TDX_MODEL_CALL_MAX; call++)
		if (!strcmp(name, call_names[call]))
			break;

	return call;
}

static unsigned int calls_a_page(const struct tdx_model_td *td)
{
	return 1 + (td->spec.is_measured ? CHUNKS_A_PAGE : 0);
}

static unsigned int calls_to_init(const struct tdx_model_td *td)
{
	return 1 + td->model->package_count + TDX_MODEL_TDCS_PAGES + 1;
}

static unsigned int calls_after_init(const struct tdx_model_td *td)
{
	return CALLS_A_VCPU * td->spec.vcpu_count + tdx_model_build_tables(&td->spec) +
	       calls_a_page(td) * td->spec.page_count + 1;
}

/* Call number @number of a launch; @ret_index is its number among those of its kind. */
static enum tdx_model_build_call find_call(const struct tdx_model_td *td,
					   unsigned int number, unsigned int *ret_index)
{
	unsigned int vcpu_calls = CALLS_A_VCPU * td->spec.vcpu_count;
	unsigned int tables = tdx_model_build_tables(&td->spec);
	unsigned int page_calls = calls_a_page(td) * td->spec.page_count;
	unsigned int chunk;

	*ret_index = 0;
	if (!number)
		return TDX_MODEL_CALL_CREATE;
	number--;

	*ret_index = number;
	if (number < td->model->package_count)
		return TDX_MODEL_CALL_KEY_CONFIG;
	number -= td->model->package_count;

	*ret_index = number;
	if (number < TDX_MODEL_TDCS_PAGES)
		return TDX_MODEL_CALL_ADDCX;
	number -= TDX_MODEL_TDCS_PAGES;

	*ret_index = 0;
	if (!number)
		return TDX_MODEL_CALL_INIT;
	number--;

	*ret_index = number / CALLS_A_VCPU;
	if (number < vcpu_calls)
		return TDX_MODEL_CALL_VP_CREATE + number % CALLS_A_VCPU;
	number -= vcpu_calls;

	*ret_index = number;
	if (number < tables)
		return TDX_MODEL_CALL_SEPT_ADD;
	number -= tables;

	*ret_index = number / calls_a_page(td);
	if (number >= page_calls)
		return number == page_calls ? TDX_MODEL_CALL_FINALIZE
					    : _TDX_MODEL_CALL_MAX;
	chunk = number % calls_a_page(td);
	if (!chunk)
		return TDX_MODEL_CALL_PAGE_ADD;

	*ret_index = *ret_index * CHUNKS_A_PAGE + chunk - 1;
	return TDX_MODEL_CALL_EXTEND;
}

enum tdx_model_build_call tdx_model_build_next(const struct tdx_model_td *td)
{
	unsigned int index;

	return find_call(td, td->done, &index);
}

struct tdx_model_td *tdx_model_build_find(struct tdx_model *model, const char *name)
{
	struct tdx_model_td *td;

	for (td = model->tds; td; td = td->next)
		if (!strcmp(td->name, name))
			return td;

	return NULL;
}

/* The host's own idea of which HKIDs are free. */
static u16 find_hkid(const struct tdx_model *model)
{
	const struct tdx_model_td *td;
	u16 hkid;

	for (hkid = TDX_MODEL_HKID_FIRST + 1; hkid < TDX_MODEL_HKID_MAX; hkid++) {
		for (td = model->tds; td; td = td->next)
			if (td->holds_hkid && td->hkid == hkid)
				break;
		if (!td)
			return hkid;
	}

	return 0;
}

unsigned int tdx_model_td_count(const struct tdx_model *model)
{
	const struct tdx_model_td *td;
	unsigned int count = 0;

	for (td = model->tds; td; td = td->next)
		count += td->holds_hkid;

	return count;
}

struct tdx_model_td *tdx_model_build_free(struct tdx_model_td *td)
{
	if (td)
		tdx_port_sha384_free(td->hash);
	tdx_port_free(td);

	return NULL;
}

static bool is_spec_valid(const struct tdx_model_build_spec *spec)
{
	return spec->page_count <= TDX_MODEL_BUILD_PAGES_MAX && spec->vcpu_count &&
	       spec->vcpu_count <= TDX_MODEL_BUILD_VCPUS_MAX;
}

int tdx_model_build_new(struct tdx_model *model, const char *name,
			const struct tdx_model_build_spec *spec,
			struct tdx_model_td **ret)
{
	struct tdx_model_td *td;
	u16 hkid;

	if (!is_spec_valid(spec) || !name[0] || strlen(name) >= TDX_MODEL_NAME_BYTES)
		return -EINVAL;
	if (tdx_model_build_find(model, name))
		return -EEXIST;
	hkid = find_hkid(model);
	if (!hkid)
		return -ENOSPC;

	td = tdx_port_alloc(sizeof(*td));
	if (!td)
		return -ENOMEM;
	if (tdx_port_sha384_new(&td->hash)) {
		tdx_port_free(td);
		return -ENOMEM;
	}

	tdx_port_sha384_start(td->hash);
	memcpy(td->name, name, strlen(name));
	td->model = model;
	td->spec = *spec;
	td->hkid = hkid;
	td->holds_hkid = true;
	td->start_nsec = model->now_nsec;
	td->address = model->next_address;
	model->next_address += (u64)tdx_model_build_pages(spec) * TDX_MODEL_PAGE_BYTES;
	td->next = model->tds;
	model->tds = td;
	if (model->hooks.population_changed)
		model->hooks.population_changed(model->userdata);

	*ret = td;
	return 0;
}

static void finish(struct tdx_model_td *td)
{
	struct tdx_model *model = td->model;
	struct tdx_model_tdr *tdr = tdx_model_build_tdr(td);

	td->state = TDX_MODEL_BUILD_DONE;
	td->end_nsec = model->now_nsec;
	tdx_port_sha384_finish(td->hash, td->expected);
	if (tdr && !memcmp(tdr->mrtd, td->expected, sizeof(td->expected)))
		model->counts.right++;
	else
		model->counts.wrong++;
}

/* KVM takes every status but "busy" for a bug and gives the VM up; "busy" cannot come. */
int tdx_model_build_step(struct tdx_model_td *td)
{
	enum tdx_model_build_call call;
	unsigned int index;
	u64 status;

	if (td->state == TDX_MODEL_BUILD_DEAD)
		return -EIO;
	call = find_call(td, td->done, &index);
	if (call == _TDX_MODEL_CALL_MAX)
		return -ENODATA;

	status = tdx_model_build_make_call(td, call, index);
	if (status) {
		td->state = TDX_MODEL_BUILD_DEAD;
		td->failed_status = status;
		td->model->counts.dead++;
		return -EIO;
	}

	td->done++;
	if (call == TDX_MODEL_CALL_FINALIZE)
		finish(td);
	else if (call == td->spec.stop_after && td->state == TDX_MODEL_BUILD_GOING)
		tdx_model_build_pause(td, td->spec.does_hang);

	return 0;
}

int tdx_model_build_pause(struct tdx_model_td *td, bool does_hang)
{
	if (td->state != TDX_MODEL_BUILD_GOING)
		return -EINVAL;

	td->state = does_hang ? TDX_MODEL_BUILD_HUNG : TDX_MODEL_BUILD_PAUSED;
	td->paused_nsec = td->model->now_nsec;
	return 0;
}

int tdx_model_build_resume(struct tdx_model_td *td)
{
	if (td->state != TDX_MODEL_BUILD_PAUSED)
		return -EINVAL;

	td->state = TDX_MODEL_BUILD_GOING;
	td->spec.stop_after = _TDX_MODEL_CALL_MAX;
	td->start_nsec += td->model->now_nsec - td->paused_nsec;
	return 0;
}

int tdx_model_build_close(struct tdx_model_td *td)
{
	struct tdx_model *model = td->model;
	struct tdx_model_td **link;
	bool is_abandoned =
		td->state != TDX_MODEL_BUILD_DONE && td->state != TDX_MODEL_BUILD_DEAD;

	if (tdx_model_build_tdr(td)) {
		td->failed_status = tdx_model_build_teardown(td);
		if (td->failed_status) {
			td->state = TDX_MODEL_BUILD_DEAD;
			return -EIO;
		}
	}

	model->counts.aborted += is_abandoned;
	for (link = &model->tds; *link != td; link = &(*link)->next)
		;
	*link = td->next;
	if (td->holds_hkid && model->hooks.population_changed)
		model->hooks.population_changed(model->userdata);
	tdx_model_build_free(td);

	return 0;
}

const char *tdx_model_build_state_name(struct tdx_model_td *td)
{
	switch (td->state) {
	case TDX_MODEL_BUILD_GOING:
		return td->is_building ? "building" : "creating";
	case TDX_MODEL_BUILD_PAUSED:
		return "paused";
	case TDX_MODEL_BUILD_HUNG:
		return "hung";
	case TDX_MODEL_BUILD_DONE:
		return tdx_model_build_enter(td) ? "dead" : "running";
	default:
		return "dead";
	}
}

/* Everything up to MNG.INIT is made at once, the rest evenly, MR.FINALIZE at the end. */
static u64 due_nsec(const struct tdx_model_td *td)
{
	unsigned int before = calls_to_init(td), after = calls_after_init(td), made;

	if (td->state == TDX_MODEL_BUILD_DONE)
		return td->spec.lifetime_nsec == TDX_MODEL_NEVER
			       ? TDX_MODEL_NEVER
			       : td->end_nsec + td->spec.lifetime_nsec;
	if (td->state != TDX_MODEL_BUILD_GOING || !td->spec.is_timed)
		return TDX_MODEL_NEVER;
	if (td->done < before)
		return td->start_nsec;

	made = td->done - before + 1;
	return td->start_nsec + td->spec.duration_nsec / after * made +
	       td->spec.duration_nsec % after * made / after;
}

static struct tdx_model_td *find_due(const struct tdx_model *model, u64 *ret_nsec)
{
	struct tdx_model_td *td, *first = NULL;

	*ret_nsec = TDX_MODEL_NEVER;
	for (td = model->tds; td; td = td->next) {
		u64 due = due_nsec(td);

		if (due < *ret_nsec) {
			*ret_nsec = due;
			first = td;
		}
	}

	return first;
}

u64 tdx_model_next_nsec(const struct tdx_model *model)
{
	u64 nsec;

	find_due(model, &nsec);
	return nsec;
}

void tdx_model_advance(struct tdx_model *model, u64 now_nsec)
{
	struct tdx_model_td *td;
	u64 nsec;

	while ((td = find_due(model, &nsec)) && nsec <= now_nsec) {
		if (nsec > model->now_nsec)
			model->now_nsec = nsec;
		if (td->state == TDX_MODEL_BUILD_DONE) {
			/* Once: a TD that its module does not let go is dead. */
			tdx_model_build_close(td);
		} else {
			tdx_model_build_step(td);
		}
	}

	if (now_nsec > model->now_nsec)
		model->now_nsec = now_nsec;
}

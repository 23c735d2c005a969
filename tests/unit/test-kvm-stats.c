// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "kvm-census.h"
#include "tree.h"

#define KVM "sys/kernel/debug/kvm/"

static void test_vms_are_listed(void **state)
{
	struct kvm_vms vms;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	tree_put(&tree, KVM "exits", "12\n");
	tree_put(&tree, KVM "42-11/exits", "0\n");
	tree_put(&tree, KVM "7-3/exits", "5\n");
	tree_put(&tree, KVM "9-3/exits", "0\n");
	tree_put(&tree, KVM "7-/exits", "5\n");
	tree_put(&tree, KVM "-7/exits", "5\n");
	tree_put(&tree, KVM "7-3-1/exits", "5\n");
	tree_put(&tree, KVM "111111111111-111111111111/exits", "5\n");
	assert_int_equal(kvm_vms_list(tree.fd, &vms), 0);
	assert_int_equal(vms.count, 3);
	assert_string_equal(vms.names[0], "42-11");
	assert_string_equal(vms.names[1], "7-3");
	assert_string_equal(vms.names[2], "9-3");
	/* gone */
	tree_drop(&tree, KVM "9-3/exits");
	tree_drop(&tree, KVM "9-3");
	assert_int_equal(kvm_vms_drop_run(tree.fd, &vms), 0);
	assert_int_equal(vms.count, 1);
	assert_string_equal(vms.names[0], "42-11");
	kvm_vms_done(&vms);
	tree_remove(&tree);
}

static void test_absent_debugfs_is_not_an_empty_one(void **state)
{
	struct kvm_vms vms;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(kvm_vms_list(tree.fd, &vms), -ENODATA);
	tree_put(&tree, "sys/kernel/debug/.keep", "");
	assert_int_equal(kvm_vms_list(tree.fd, &vms), -ENODATA);
	tree_put(&tree, "sys/module/kvm/refcnt", "1\n");
	assert_int_equal(kvm_vms_list(tree.fd, &vms), -ENODATA);
	/* no KVM at all */
	tree_drop(&tree, "sys/module/kvm/refcnt");
	tree_drop(&tree, "sys/module/kvm");
	assert_int_equal(kvm_vms_list(tree.fd, &vms), 0);
	assert_int_equal(vms.count, 0);
	kvm_vms_done(&vms);
	tree_remove(&tree);
}

static void test_what_tells_that_a_vm_has_run(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(kvm_vm_has_run(tree.fd, "42-11"), -ENODATA);
	tree_put(&tree, KVM "exits", "0\n");
	assert_int_equal(kvm_vm_has_run(tree.fd, "42-11"), -ESRCH);
	tree_put(&tree, KVM "42-11/vcpu0/pid", "1\n");
	assert_int_equal(kvm_vm_has_run(tree.fd, "42-11"), -ENODATA);
	tree_put(&tree, KVM "42-11/exits", "0\n");
	assert_int_equal(kvm_vm_has_run(tree.fd, "42-11"), 0);
	tree_put(&tree, KVM "42-11/exits", "10\n");
	assert_int_equal(kvm_vm_has_run(tree.fd, "42-11"), 1);
	tree_put(&tree, KVM "42-11/exits", "\n");
	assert_int_equal(kvm_vm_has_run(tree.fd, "42-11"), -EBADMSG);
	tree_put(&tree, KVM "42-11/exits", "-1\n");
	assert_int_equal(kvm_vm_has_run(tree.fd, "42-11"), -EBADMSG);
	assert_int_equal(kvm_vm_has_run(tree.fd, "../x"), -EINVAL);
	assert_int_equal(kvm_vm_has_run(tree.fd, ""), -EINVAL);
	tree_remove(&tree);
}

/* A list counts only with the number of VMs beside it. */
static void test_a_census_is_more_than_a_list(void **state)
{
	struct kvm_vms vms;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(kvm_census(tree.fd, &vms), -ENODATA);
	tree_put(&tree, KVM "42-11/exits", "0\n");
	assert_int_equal(kvm_census(tree.fd, &vms), -ENODATA);
	tree_put(&tree, "sys/module/kvm/refcnt", "1\n");
	assert_int_equal(kvm_census(tree.fd, &vms), -ENODATA);
	tree_put(&tree, "dev/kvm", "");
	assert_true(kvm_census(tree.fd, &vms) < 0);
	tree_remove(&tree);
	/* no KVM, no VM */
	tree_new(&tree);
	tree_put(&tree, "sys/module/.keep", "");
	assert_int_equal(kvm_census(tree.fd, &vms), 0);
	assert_int_equal(vms.count, 0);
	kvm_vms_done(&vms);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_census_is_more_than_a_list),
		cmocka_unit_test(test_vms_are_listed),
		cmocka_unit_test(test_absent_debugfs_is_not_an_empty_one),
		cmocka_unit_test(test_what_tells_that_a_vm_has_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

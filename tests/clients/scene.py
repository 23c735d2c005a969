# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A simulated host, a bus with the system bus's policy, and the real daemon on both, for
tests that come from outside; with polkit() a real polkitd too. tests/bus/scene.h is the
same for tests in C. Where something is not installed, the test is skipped.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 120  # seconds, for what takes milliseconds: longer than any load makes it
NAME = "org.tdxupd1"
MANAGER = "/org/tdxupd1"
MANAGER_INTERFACE = "org.tdxupd1.Manager"
JOB_INTERFACE = "org.tdxupd1.Job"
PROPERTIES = "org.freedesktop.DBus.Properties"

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
IMAGES = "usr/lib/firmware/intel/tdx-module"

# What a system bus forbids, but with room for a crowd.
BUS_CONFIG = """<busconfig>
<type>system</type>
<listen>{address}</listen>
<auth>EXTERNAL</auth>
<policy context="default">
	<allow user="*"/>
	<deny own="*"/>
	<deny send_type="method_call"/>
	<allow send_type="signal"/>
	<allow send_requested_reply="true" send_type="method_return"/>
	<allow send_requested_reply="true" send_type="error"/>
	<allow receive_type="method_call"/>
	<allow receive_type="method_return"/>
	<allow receive_type="error"/>
	<allow receive_type="signal"/>
	<allow send_destination="org.freedesktop.DBus"/>
</policy>
<include ignore_missing="yes">/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
<include>{policy}</include>
{more}<limit name="auth_timeout">120000</limit>
<limit name="max_completed_connections">4096</limit>
<limit name="max_incomplete_connections">4096</limit>
<limit name="max_connections_per_user">4096</limit>
</busconfig>
"""


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def program(variable):
    path = os.environ.get(variable, "")
    if not os.access(path, os.X_OK):
        skip(f"{variable} names no program (run it with meson test)")
    return path


def need(*programs):
    for name in programs:
        shutil.which(name) or skip(f"{name} is not installed")


def need_root():
    os.geteuid() == 0 or skip("a simulated host is mounted: run as root")
    os.access("/dev/fuse", os.W_OK) or skip("there is no /dev/fuse")


def unshare():
    """A mount namespace of our own, for what polkit looks for in fixed places."""
    if not os.environ.get("TDXUPD_UNSHARED"):
        os.environ["TDXUPD_UNSHARED"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B", *sys.argv])


def until(condition, what):
    """The first true value of the condition, which has PATIENCE seconds for it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"this never came true: {what}")


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def memory_kib(pid, what="Pss"):
    """What a process takes: its own, and its share of what it shares."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(rf"^{what}:\s+(\d+) kB", text, re.M)[1])


def count_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_ticks(pid):
    """What a process has computed so far, itself and in the kernel."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def is_checked():
    """A sanitizer keeps what was freed for a while, so that a size says nothing."""
    return b"__asan_init" in pathlib.Path(program("TDXUPD_DAEMON")).read_bytes()


class Scene:
    """Use it in a `with`; what was started ends there, and the daemon's exit is checked."""

    def __init__(self, commands=(), images=("1.5.06,ctx=1", "1.5.16,ctx=2"), config="",
                 wrapper=(), prefix="tdxupd-clients."):
        self.commands, self.images, self.config = commands, images, config
        self.measurements = []
        self.wrapper = wrapper
        self.top = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.top.chmod(0o755)
        self.root = self.top / "root"
        self.address = f"unix:path={self.top}/bus"
        self.ended = contextlib.ExitStack()
        self.daemon = None
        self.bus_config = ""  # more of it

    # ---- programs ----

    def start(self, name, argv, **options):
        """A program that says what it says in a file, and ends with the scene."""
        with open(self.top / f"{name}.log", "ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, preexec_fn=die_with_parent, **options)
        self.ended.callback(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        process.terminate()
        return process.wait()

    def said(self, name):
        return (self.top / f"{name}.log").read_text(errors="replace")

    def simctl(self, *words):
        return subprocess.run([program("TDXUPD_SIMCTL"), str(self.root), *words],
                              check=True, capture_output=True, text=True).stdout

    def host_says(self, name):
        """A file of the host's device."""
        return (self.root / "sys/devices/faux/tdx_host" / name).read_text().strip()

    def ctl(self, *words, **options):
        """tdxupdctl, with code, out and err."""
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True,
                   "errors": "surrogateescape", "timeout": PATIENCE} | options
        return subprocess.run(self.ctl_argv(*words), **options)

    def ctl_argv(self, *words):
        return [program("TDXUPD_CTL"), "--root", str(self.root), "--bus-address",
                self.address, *words]

    def busctl(self, *words, **options):
        return subprocess.run(["busctl", f"--address={self.address}",
                               f"--timeout={PATIENCE}", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, **options)

    # ---- the scene ----

    def __enter__(self):
        try:
            self.set_up()
        except BaseException:
            self.tear_down()
            raise
        return self

    def __exit__(self, kind, *_):
        status = self.tear_down()
        if kind:
            return
        assert status == 0, f"tdxupdd left with {status}: {self.log[-4000:]}"

    def set_up(self):
        need_root()
        need("dbus-daemon", "fusermount3")
        (self.root / IMAGES).mkdir(parents=True)
        self.put_images()
        self.put_config(self.config)
        self.start_host()
        self.start_bus()
        self.start_daemon()

    def tear_down(self):
        status = self.stop_daemon() if self.daemon else 0
        self.log = self.said("tdxupdd") if (self.top / "tdxupdd.log").exists() else ""
        self.ended.close()
        control = self.root / ".simhost"
        if control.is_mount():
            subprocess.run(["fusermount3", "-u", "-z", str(control)], check=False)
        shutil.rmtree(self.top, ignore_errors=True)
        return status

    def put_images(self):
        listing = subprocess.run(
            [program("TDXUPD_MKIMAGE"), str(self.root / IMAGES), *self.images],
            check=True, capture_output=True, text=True).stdout
        # Firmware loads the very modules that the images are.
        self.measurements = [f"known {mrseam} version={version}" for _, version, mrseam in
                             (line.rsplit(" ", 2) for line in listing.splitlines())]

    def put_config(self, text):
        signer = subprocess.run([program("TDXUPD_MKIMAGE"), "--signer"], check=True,
                                capture_output=True, text=True).stdout.strip()
        path = self.root / "etc/tdxupd/tdxupd.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[Update]\nTrustedSigner={signer}\n{text}")

    def start_host(self):
        commands = ["boot version=1.5.06 svn=0x0106 ctx=1", "set remaining=10", "trust any",
                    *self.measurements, *self.commands]
        argv = [program("TDXUPD_SIMHOST"), str(self.root), "--lps", "4"]
        for command in commands:
            argv += ["--command", command]
        host = self.start("simhost", argv)
        version = self.root / "sys/devices/faux/tdx_host/version"
        until(lambda: version.exists() or host.poll() is not None, "the simulated host")

    def start_bus(self):
        config = self.top / "bus.conf"
        config.write_text(BUS_CONFIG.format(address=self.address, more=self.bus_config,
                                            policy=SOURCE / "systemd/org.tdxupd1.conf"))
        self.bus = self.start("bus", ["dbus-daemon", f"--config-file={config}", "--nofork",
                                      "--nopidfile", "--nosyslog"])
        until(lambda: self.busctl("list").returncode == 0, "the bus")

    def start_daemon(self):
        self.daemon = self.start("tdxupdd", [
            *self.wrapper, program("TDXUPD_DAEMON"), "--root", str(self.root),
            "--bus-address", self.address])
        self.await_name(NAME, self.daemon)

    def await_name(self, name, process):
        def is_there():
            assert process.poll() is None, f"it ended: {self.said('tdxupdd')}"
            return re.search(rf"^{re.escape(name)} ", self.busctl("list").stdout, re.M)

        until(is_there, name)

    def stop_daemon(self):
        process, self.daemon = self.daemon, None
        return self.stop(process) if process.poll() is None else process.returncode

    # ---- polkit ----

    def mount(self, what, where, *options):
        subprocess.run(["mount", *options, str(what), str(where)], check=True)
        self.ended.callback(subprocess.run, ["umount", "-l", str(where)], check=True)

    def start_polkit(self, rules):
        """polkitd with our actions and these rules; after unshare()."""
        polkitd = next((path for path in ("/usr/lib/polkit-1/polkitd",
                                          "/usr/libexec/polkitd") if os.path.exists(path)),
                       None) or skip("polkitd is not installed")
        places = {"actions": "/usr/share/polkit-1/actions", "rules": "/etc/polkit-1/rules.d",
                  "none": "/usr/share/polkit-1/rules.d"}
        for name, place in places.items():
            directory = self.top / name
            directory.mkdir()
            if os.path.isdir(place):
                self.mount(directory, place, "--bind")
        shutil.copy(SOURCE / "systemd/org.tdxupd1.policy", self.top / "actions")
        (self.top / "rules/10-test.rules").write_text(rules)
        process = self.start("polkitd", [polkitd, "--no-debug"],
                             env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.address})
        self.await_name("org.freedesktop.PolicyKit1", process)

    def use_password(self, password):
        """What an agent's helper meets: this bus as the system bus, and root's password."""
        self.mount("tmpfs", "/run", "-t", "tmpfs")
        os.mkdir("/run/dbus")
        socket = pathlib.Path("/run/dbus/system_bus_socket")
        socket.touch()
        self.mount(self.top / "bus", socket, "--bind")
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password,
                                check=True, capture_output=True, text=True).stdout.strip()
        shadow = self.top / "shadow"
        shadow.touch(0o600)
        shadow.write_text(f"root:{hashed}:20000:0:99999:7:::\n")
        self.mount(shadow, "/etc/shadow", "--bind")

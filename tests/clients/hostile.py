# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What nobody should send, for whatever the daemon's introspection says that it has, so that
a new method is tried without a line here; and clients that do not behave.
"""
import itertools
import re
import socket
import struct
import xml.etree.ElementTree

import gi
gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from scene import MANAGER, NAME, SOURCE

TIMEOUT_MS = 120000
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
# These answer when something else happens, and that may be never.
PATIENT = {"Wait"}

# What a terminal would obey, where it is not made harmless: escapes, both C1 forms and
# what turns the direction of writing.
EVIL = "\n\x1b[31mred\x1b]0;title\x07\r\x9b2J\x7f\u202e"
STRINGS = ["1.5.16", "", EVIL, "A" * (1 << 20), "../../../etc/shadow", "%s%n%99999d", "all",
           "1.5", "-1", "\ufffe\U0010ffff", "vm1", " ", "strict"]
VALUES = {
    "y": [0, 255], "b": [False, True], "n": [-1, -(1 << 15)], "q": [0, (1 << 16) - 1],
    "i": [0, -1, -(1 << 31), (1 << 31) - 1], "u": [0, 1, (1 << 32) - 1],
    "x": [0, -(1 << 63)], "t": [0, 1, (1 << 63), (1 << 64) - 1], "d": [0.0, float("nan")],
    "s": STRINGS, "o": ["/", MANAGER, "/" + "a" * 1000], "g": ["", "a{sv}"], "h": [0],
}
# Wrong for any method: none takes it.
WRONG_TYPES = ["y", "b", "n", "i", "u", "x", "t", "d", "s", "o", "g", "v", "as", "a{sv}",
               "a{ss}", "(ss)", "aas", "ay"]


def documented_options():
    """Every option that org.tdxupd1(5) has, with its type."""
    page = (SOURCE / "man/org.tdxupd1.5").read_text()
    return re.findall(r"^\.It Cm (\w+) Pq Li (\w+)$", page, re.M)


OPTIONS = documented_options()
assert OPTIONS


def values_of(signature):
    """Values of a type, as GLib.Variant()s; the first is one that might be meant."""
    if signature in VALUES:
        yield from (GLib.Variant(signature, value) for value in VALUES[signature])
    elif signature == "v":
        yield from (GLib.Variant("v", GLib.Variant(kind, VALUES[kind][-1])) for kind in "sutb")
    elif signature == "a{sv}":
        yield from (dictionary(pairs) for pairs in option_lists())
    elif signature[0] == "a":
        items = list(values_of(signature[1:]))
        yield from (array(signature, some) for some in (items[:1], [], items, items[:1] * 5000))
    elif signature[0] == "{":
        yield GLib.Variant.new_dict_entry(*map(value_of, split(signature[1:-1])))
    else:
        yield GLib.Variant.new_tuple(*map(value_of, split(signature[1:-1])))


def value_of(signature):
    return next(values_of(signature))


def split(signature):
    """Its single types."""
    at = 0
    while at < len(signature):
        end, depth = at, 0
        while signature[end] == "a":
            end += 1
        while True:
            depth += (signature[end] in "({") - (signature[end] in ")}")
            end += 1
            if not depth:
                break
        yield signature[at:end]
        at = end


def array(signature, items):
    builder = GLib.VariantBuilder(GLib.VariantType(signature))
    for item in items:
        builder.add_value(item)
    return builder.end()


def dictionary(pairs):
    return GLib.Variant("a{sv}", dict(pairs)) if pairs else array("a{sv}", [])


def option_lists():
    """Options: none, unknown ones, each known one with each value and with other types."""
    yield []
    for name in ("no_such_option", "", EVIL, "A" * (1 << 20)):
        yield [(name, GLib.Variant("s", "x"))]
    for name, kind in OPTIONS:
        for value in VALUES[kind]:
            yield [(name, GLib.Variant(kind, value))]
        yield [(name, GLib.Variant("as", ["a", "b"]))]
        yield [(name, GLib.Variant("d" if kind != "d" else "s", 0.5))]
        yield [(name, GLib.Variant("v", GLib.Variant(kind, VALUES[kind][0])))]
    yield [(f"option{i}", GLib.Variant("u", i)) for i in range(5000)]


class Method:
    def __init__(self, interface, element):
        self.interface, self.name = interface, element.get("name")
        self.types = [argument.get("type") for argument in element.findall("arg")
                      if argument.get("direction", "in") == "in"]

    def wrong_calls(self):
        """Arguments of other types, fewer and more."""
        good = [value_of(kind) for kind in self.types]
        yield good + [GLib.Variant("s", "one more")]
        if good:
            yield []
            yield good[:-1]
        for place, kind in enumerate(self.types):
            for other in WRONG_TYPES:
                if other != kind:
                    yield good[:place] + [value_of(other)] + good[place + 1:]

    def odd_calls(self):
        """Arguments of the right types: each value once, beside harmless ones."""
        good = [value_of(kind) for kind in self.types]
        yield good
        for place, kind in enumerate(self.types):
            for value in itertools.islice(values_of(kind), 1, None):
                yield good[:place] + [value] + good[place + 1:]


class Client:
    """A connection that may do anything, and whoever it belongs to knows what came of it."""

    def __init__(self, address):
        flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
                 Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.bus = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.bus.set_exit_on_close(False)

    def call(self, path, interface, member, arguments=(), timeout=TIMEOUT_MS):
        """None, or the error's name and text."""
        body = GLib.Variant.new_tuple(*arguments)
        try:
            self.bus.call_with_unix_fd_list_sync(
                NAME, path, interface, member, body, None, Gio.DBusCallFlags.NONE,
                timeout, None, None)
        except GLib.Error as error:
            name = Gio.DBusError.get_remote_error(error)
            Gio.DBusError.strip_remote_error(error)
            if not name and not error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
                raise
            return name or "timeout", error.message
        return None

    def introspect(self, path):
        answer = self.bus.call_sync(NAME, path, INTROSPECTABLE, "Introspect", None, None,
                                    Gio.DBusCallFlags.NONE, TIMEOUT_MS, None)
        return xml.etree.ElementTree.fromstring(answer.unpack()[0])

    def paths(self, path=MANAGER):
        """All objects from here down."""
        return [path, *itertools.chain.from_iterable(
            self.paths(f"{path}/{node.get('name')}")
            for node in self.introspect(path).findall("node"))]

    def methods(self, path):
        """Of our own interfaces."""
        return [Method(interface.get("name"), method)
                for interface in self.introspect(path).findall("interface")
                if interface.get("name").startswith(NAME)
                for method in interface.findall("method")]

    def properties(self, path):
        return [(interface.get("name"), prop.get("name"), prop.get("type"))
                for interface in self.introspect(path).findall("interface")
                if interface.get("name").startswith(NAME)
                for prop in interface.findall("property")]


class RawClient:
    """Sends without ever reading, unless it is told to."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(address.removeprefix("unix:path="))
        self.socket.settimeout(120)
        self.serial = 0
        self.socket.sendall(b"\0AUTH EXTERNAL\r\n")
        self.expect(b"DATA")
        self.socket.sendall(b"DATA\r\n")
        self.expect(b"OK")
        self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
        self.expect(b"AGREE_UNIX_FD")
        self.socket.sendall(b"BEGIN\r\n")
        self.send("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello",
                  to="org.freedesktop.DBus")

    def expect(self, word):
        answer = self.socket.recv(4096)
        assert answer.startswith(word), answer

    def send(self, path, interface, member, arguments=(), to=NAME):
        self.socket.sendall(self.message(path, interface, member, arguments, to))

    def message(self, path, interface, member, arguments=(), to=NAME):
        message = Gio.DBusMessage.new_method_call(to, path, interface, member)
        if arguments:
            message.set_body(GLib.Variant.new_tuple(*arguments))
        self.serial += 1
        message.set_serial(self.serial)
        return bytes(message.to_blob(Gio.DBusCapabilityFlags.UNIX_FD_PASSING))

    def close(self):
        """At once, whatever is under way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

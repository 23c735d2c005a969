# SPDX-License-Identifier: LGPL-2.1-or-later
"""A terminal that a test can look at and type on: a window of tmux."""
import os
import shlex
import subprocess

from scene import until


class Terminal:
    def __init__(self, world, argv, width=80, height=50, **environment):
        self.socket = str(world.top / f"tmux.{width}.{len(os.listdir(world.top))}")
        environment = {"LC_ALL": "C.UTF-8"} | environment
        command = shlex.join(["env", *(f"{k}={v}" for k, v in environment.items()), *argv])
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                  f"trap : INT; {command}; echo left with $?; exec cat")
        world.ended.callback(self.end)

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False,
                              env=os.environ | {"LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"})
        return done.stdout

    def end(self):
        self.tmux("kill-server")

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self, *options):
        """Its lines; with "-e" also colours."""
        return [line.rstrip() for line in
                self.tmux("capture-pane", "-p", "-S", "-", *options).rstrip("\n").split("\n")]

    def joined(self):
        """The same, with lines that the terminal broke as they were before."""
        return self.screen("-J")

    def text(self):
        return "\n".join(self.screen())

    def await_text(self, words):
        until(lambda: words in self.text(), f"{words} in {self.text()}")
        return self.text()

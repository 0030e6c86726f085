"""Where the console's lines come from: a pipe, or a person at a prompt. Knows nothing of what they mean."""

import asyncio
import os
import threading
from collections.abc import Sequence
from typing import Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import patch_stdout

from memory.errors import InputError

MAX_LINE_BYTES = 1_000_000
_CHUNK_BYTES = 65_536


class LineSource(Protocol):
    """What a person types, message by message."""

    async def next_line(self, prompt: str) -> str | None:
        """Return the next message or command; None at the end.

        Args:
            prompt: What stands before the cursor, where there is one.

        Raises:
            InputError: The line cannot be taken; the next call goes on behind it.
        """
        ...

    def recall(self, said: Sequence[str]) -> None:
        """Offer what was said in this thread before, oldest first, where lines can be recalled by arrow keys."""
        ...


class PipedLines(LineSource):
    """Lines of a pipe or a file, read only when asked for. Bytes that are not UTF-8 are kept in hexadecimal.

    Args:
        descriptor: An open file descriptor; it stays open.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = bytearray()
        self._ended = False

    async def next_line(self, prompt: str) -> str | None:  # noqa: ARG002  # a pipe shows no prompt
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[bytes | None] = loop.create_future()

        def deliver(line: bytes | None) -> None:
            if not arrived.done():
                arrived.set_result(line)

        def read() -> None:
            line = self._read_line()
            if not loop.is_closed():
                loop.call_soon_threadsafe(deliver, line)

        # A daemon thread: a read that never ends must not hold up the process's end, as an executor's would.
        threading.Thread(target=read, name="stdin", daemon=True).start()
        line = await arrived
        if line is not None and len(line) > MAX_LINE_BYTES:
            raise InputError(
                f"That line is longer than {MAX_LINE_BYTES // 1000} kB and was not taken; send it in parts."
            )
        return None if line is None else line.rstrip(b"\r\n").decode(errors="backslashreplace")

    def recall(self, said: Sequence[str]) -> None:
        """Nothing to do: a pipe has no arrow keys."""

    def _read_line(self) -> bytes | None:
        """Return a line with its end, a longer one only as far as it takes to see that; None at the end."""
        overlong = b""
        while (end := self._rest.find(b"\n")) < 0 and not self._ended:
            if len(self._rest) > MAX_LINE_BYTES:
                overlong = bytes(self._rest)
                self._rest.clear()
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
            self._rest += chunk
            self._ended = not chunk
        size = end + 1 if end >= 0 else len(self._rest)
        line = overlong + bytes(self._rest[:size])
        del self._rest[:size]
        return line or None


class PromptLines(LineSource):
    """A prompt with line editing. A paste of several lines is one message, Alt-Enter starts a new line.

    History lives in memory, for one thread: nothing a person typed is left in a file that a forget would not reach.
    """

    def __init__(self, *, source: Input | None = None, target: Output | None = None) -> None:
        self._source = source
        self._target = target
        self._session = self._open(())

    async def next_line(self, prompt: str) -> str | None:
        while True:
            try:
                with patch_stdout(raw=True):
                    # prompt_toolkit's own handler would take ours away with it, and Ctrl-C would stop no answer.
                    return await self._session.prompt_async(prompt, handle_sigint=False)
            except KeyboardInterrupt:
                continue  # Ctrl-C at the prompt throws the line away
            except EOFError:
                return None

    def recall(self, said: Sequence[str]) -> None:
        self._session = self._open(said)

    def _open(self, said: Sequence[str]) -> PromptSession[str]:
        return PromptSession(
            history=InMemoryHistory(said),
            key_bindings=_bindings(),
            prompt_continuation="... ",
            enable_open_in_editor=False,
            input=self._source,
            output=self._target,
        )


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return bindings

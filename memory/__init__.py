"""The conversation memory. It knows no chat platform; a platform knows of it what is named here.

- `memory.bootstrap` opens it: `open_memory(settings)` for a chat or a bot, `open_record(settings)` for a person's own
  memories alone.
- `memory.service.MemoryService` takes messages in, prepares each turn and keeps what came of it.
- `memory.personal.PersonalMemory` is what people do with their own memories: see, keep, forget, take along.
- `memory.model` are the values, `memory.errors` the errors, `memory.ports` what stores and providers must do.

Nothing is imported here, so that `import memory.errors` costs no more than that.
"""

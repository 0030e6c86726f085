"""A person at the console: what they type and what they read, on embedded stores and the offline model."""

from tests.fixtures.console import ConsoleRunner

STAGING = "My staging cluster is kind-staging."


async def test_a_fact_is_recalled_in_a_new_thread(console: ConsoleRunner) -> None:
    """What was said in one thread is known in another, after a sweep and a restart."""
    learned = await console.talk(STAGING, "/sweep", "/memories")
    recalled = await console.talk("Which staging cluster do I use?", "/why", thread="second")

    assert learned[-2] == "Read 1 thread: 1 fact added."
    assert learned[-1].startswith(f"#1  {STAGING}  (")
    assert "kind-staging" in recalled[0]
    assert recalled[-1].startswith("The last answer was given:\n#1  ")


async def test_another_person_does_not_see_it(console: ConsoleRunner) -> None:
    """Memories are their owner's: another user recalls and lists nothing."""
    await console.talk(STAGING, "/sweep")
    other = await console.talk("Which staging cluster do I use?", "/why", "/memories", "/threads", user="bob")

    assert "kind-staging" not in "\n".join(other)
    assert other[-3:-1] == ["The last answer used no memory.", "Nothing is remembered of you yet."]

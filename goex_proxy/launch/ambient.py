"""What an agent keeps of its user's environment: a list of what may pass, never of what may not.

A variable that nobody thought of is left out: it may be a secret. `--pass NAME` adds one.
"""

from collections.abc import Collection, Mapping

_NAMES = frozenset(
    name
    for line in (
        "PATH HOME LANG LANGUAGE TERM USER LOGNAME SHELL TMPDIR TZ COLORTERM EDITOR VISUAL PAGER",
        "PWD HOSTNAME COLUMNS LINES TERMINFO TERMINFO_DIRS TERM_PROGRAM TERM_PROGRAM_VERSION",
        "NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE CI MANPATH INFOPATH LD_LIBRARY_PATH",
        "XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_DATA_DIRS XDG_CONFIG_DIRS",
        "VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PYENV_ROOT PYENV_VERSION NVM_DIR NVM_BIN",
        "VOLTA_HOME CARGO_HOME RUSTUP_HOME GOPATH GOROOT GOBIN JAVA_HOME PNPM_HOME BUN_INSTALL",
        "DENO_INSTALL RBENV_ROOT SDKMAN_DIR HOMEBREW_PREFIX NIX_PATH NIX_PROFILES LOCALE_ARCHIVE",
    )
    for name in line.split()
)
_PREFIXES = ("LC_",)

MODEL_PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_", "CLAUDE_CODE_", "CLAUDE_CONFIG_DIR"),
    "openai": ("OPENAI_", "CODEX_"),
    "azure-openai": ("AZURE_OPENAI_",),
    "google-ai": ("GEMINI_", "GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_GENAI_"),
    "openrouter": ("OPENROUTER_",),
    "mistral": ("MISTRAL_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
}
"""By service: the beginnings of the variables of an agent's own login at its model provider."""


def ambient(
    environment: Mapping[str, str],
    *,
    held: Collection[str] = (),
    passed: Collection[str] = (),
) -> dict[str, str]:
    """The part of the user's environment that an agent gets.

    `held`: services our vault holds a credential for (the agent's own login there is left out).
    `passed`: names the user wants passed besides; a name that is not set is a ValueError, since
    the user meant something by it.
    """
    missing = [name for name in passed if name not in environment]
    if missing:
        raise ValueError(f"--pass {missing[0]}: no such variable is set")
    own = tuple(
        prefix
        for service, prefixes in MODEL_PROVIDERS.items()
        if service not in held
        for prefix in prefixes
    )
    return {
        name: value
        for name, value in environment.items()
        if name in _NAMES or name in passed or name.startswith((*_PREFIXES, *own))
    }

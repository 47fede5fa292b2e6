"""Where the project's files are, wherever the workflow is run from, and the library that jobs use."""

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import HostingProviderFile, LocalGitFile, LocalSourceFile


def find_project(rules):
    """Folder of the project that these rules belong to; if git has them, a clone of their commit."""
    if isinstance(rules, LocalSourceFile):
        return Path(rules.path).parents[1]
    if not isinstance(rules, LocalGitFile | HostingProviderFile):
        raise WorkflowError(
            f"{rules}: the workflow needs the other files of its project as well: take it from "
            "a folder, or with gitfile, github or gitlab"
        )
    import git  # Snakemake has it

    hosted = isinstance(rules, HostingProviderFile)
    repository = rules.hosted_repo.repo if hosted else git.Repo(rules.repo_path)
    commit = repository.commit(rules.ref).hexsha
    clone = Path(".snakemake", "projects", commit).absolute()
    if not clone.exists():
        clone.parent.mkdir(parents=True, exist_ok=True)
        unfinished = tempfile.mkdtemp(dir=clone.parent)
        copy = git.Repo.clone_from(repository.git_dir, unfinished, no_checkout=True)
        copy.git.checkout(commit)
        os.chmod(unfinished, 0o755)
        try:
            os.rename(unfinished, clone)
        except OSError:  # another run was faster
            shutil.rmtree(unfinished)
    return clone


PROJECT = find_project(workflow.current_basedir)
if odd := set(str(PROJECT)) & {"{", "}", "<", ">", "\\", os.pathsep}:
    raise WorkflowError(
        f"{PROJECT}: jobs cannot use the library in a folder with {' '.join(sorted(odd))} in its path: move the project"
    )

# Rules and scripts find this copy of the library before any other one that may be installed;
# scripts read and write UTF-8 in every locale.
sys.path.insert(0, str(PROJECT / "workflow"))
PLACES = filter(None, [sys.path[0], os.getenv("PYTHONPATH")])
os.environ.update(PYTHONPATH=os.pathsep.join(PLACES), PYTHONUTF8="1")

# Snakemake (seen in 9.27) writes this path into shell commands as it is, spaces included.
if os.path.exists(sys.executable):
    sys.executable = shlex.quote(sys.executable)

"""Images without an engine: built by buildah on a Debian of our own, unpacked, run by bwrap."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.deployment.sbom import ROOT

NEEDED = ("buildah", "debootstrap", "bwrap", "setpriv", "nsenter", "apt-get", "unshare")
IS_POSSIBLE = os.geteuid() == 0 and all(map(shutil.which, NEEDED))
BASE = "localhost/base:1"
# The interpreter of the base is the one of this Debian; pip takes wheels for it.
PACKAGES = "python3,python3-venv,ca-certificates"
INPUTS = (
    *("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE"),
    *("requirements.txt", "requirements-otel.txt", "requirements-build.txt"),
    *("src", "alembic", "deploy"),
)


def run(*command: str | Path, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


class Engine:
    def __init__(self, place: Path) -> None:
        self._place = place
        self._store = ("--root", str(place / "store"), "--runroot", str(place / "run"))
        self.wheels = place / "wheels"

    def buildah(self, *arguments: str | Path) -> str:
        env = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
        return run("buildah", *self._store, *arguments, env=env).strip()

    def make_base(self) -> None:
        """A minimal Debian from wherever this one gets its packages."""
        system = dict(
            line.split("=", 1)
            for line in Path("/etc/os-release").read_text().splitlines()
            if "=" in line
        )
        suite = system["VERSION_CODENAME"].strip('"')
        sites = run("apt-get", "indextargets", "--format", "$(SITE)", f"Codename: {suite}")
        folder = self._place / "debian"
        # What it mounts meanwhile goes with the namespace.
        run(
            *("unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={PACKAGES}"),
            *(suite, folder, sites.split()[0]),
        )
        container = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", container, folder, "/")
        self.buildah("commit", "--quiet", "--timestamp", "0", container, BASE)
        self.buildah("rm", container)
        shutil.rmtree(folder)

    def fetch_wheels(self) -> None:
        version = run("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes")
        for lock in ("requirements.txt", "requirements-build.txt"):
            options = ("--only-binary=:all:", "--python-version", version.strip())
            run(*pip, *options, "--dest", self.wheels, "-r", ROOT / lock)

    def copy_inputs(self, name: str, of: Path = ROOT) -> Path:
        """A tree once more; its files are as old as the copy."""
        tree = self._place / name
        tree.mkdir()
        for each in INPUTS:
            if (of / each).is_dir():
                shutil.copytree(of / each, tree / each, copy_function=shutil.copy)
            else:
                shutil.copy(of / each, tree / each)
        return tree

    def build(self, tree: Path) -> str:
        """The name of the image."""
        image = f"localhost/groupsvc:{tree.name}"
        self.buildah(
            *("bud", "--format", "docker", "--no-cache", "--timestamp", "0", "--tag", image),
            *("--build-arg", f"BASE={BASE}", "--build-arg", "PIP_NO_INDEX=1"),
            *("--build-arg", "PIP_FIND_LINKS=/wheels", "--volume", f"{self.wheels}:/wheels:ro"),
            tree,
        )
        return image

    def about(self, image: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.buildah("inspect", "--type", "image", image))
        return found["Docker"]

    def unpacked(self, image: str) -> Path:
        return Path(self.buildah("mount", self.buildah("from", image)))

    def remove(self) -> None:
        self.buildah("umount", "--all")
        self.buildah("rm", "--all")
        # Where images are in layers, that is a mount of its own.
        subprocess.run(("umount", "--quiet", self._place / "store/overlay"), check=False)
        shutil.rmtree(self._place)

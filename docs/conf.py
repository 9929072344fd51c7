"""How the site is built: python -m sphinx -W --keep-going -b html docs docs/_build/html."""

import functools
import importlib
import inspect
import json
import os
import shutil
import zlib
from pathlib import Path

import vaesampler

EXAMPLES = Path(__file__).parent.parent / "examples"
NOTEBOOKS = Path(__file__).parent / "notebooks"  # copies: pages lie below this folder

project = "vaesampler"
author = "The vaesampler developers"
copyright = author  # noqa: A001
version = release = vaesampler.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # so that the site loads nothing from elsewhere
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "auto_examples/*.ipynb"]  # which are there to be downloaded
default_role = "py:obj"  # in the docstrings, `name` links where there is such a name
smartquotes = False  # "auto" is typed with the quotes that are shown

# Pages
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks are shown as they were saved; the tests run them
suppress_warnings = ["myst.header", "myst-nb.lexer", "mystnb.unknown_mime_type"]  # of no harm
copybutton_exclude = ".linenos, .gp, .go"

# Reference
autosummary_generate = True
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # the docstrings tell types in words
numpydoc_show_class_members = False  # the template of classes does
numpydoc_xref_param_type = False

# Other projects' names, which link on Read the Docs: elsewhere, building needs no network.
OTHER_PROJECTS = {
    "python": "https://docs.python.org/3",
    "dask": "https://docs.dask.org/en/stable",
    "imblearn": "https://imbalanced-learn.org/stable",
    "joblib": "https://joblib.readthedocs.io/en/stable",
    "matplotlib": "https://matplotlib.org/stable",
    "numpy": "https://numpy.org/doc/stable",
    "pandas": "https://pandas.pydata.org/docs",
    "polars": "https://docs.pola.rs/api/python/stable",
    "scipy": "https://docs.scipy.org/doc/scipy",
    "sklearn": "https://scikit-learn.org/stable",
    "torch": "https://docs.pytorch.org/docs/stable",
}
# Read where a project cannot be reached, whose names then do not link, without a warning.
EMPTY_INVENTORY = Path(__file__).parent / "_build" / "empty.inv"
intersphinx_mapping = {
    name: (f"{address}/", (None, str(EMPTY_INVENTORY)))
    for name, address in OTHER_PROJECTS.items()
    if os.environ.get("READTHEDOCS") == "True"
}
intersphinx_timeout = 30  # seconds
SOURCES = "https://github.com/vaesampler/vaesampler/blob"
COMMIT = os.environ.get("READTHEDOCS_GIT_COMMIT_HASH", "main")

html_theme = "pydata_sphinx_theme"
html_title = "vaesampler"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["vaesampler.css"]
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": f"vaesampler {version}"},
    "header_links_before_dropdown": 6,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}
html_sidebars = {
    page: []
    for page in ("index", "installation", "getting_started", "changelog", "contributing")
}


sphinx_gallery_conf = {
    "examples_dirs": str(EXAMPLES),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_\w+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("vaesampler",),
    "backreferences_dir": "api/examples",
    "reference_url": {"vaesampler": None},
    "write_computation_times": False,  # its page asks the network for scripts
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": float("inf"),  # of no use where the machine is not known
    "image_srcset": ["2x"],  # sharp on a phone, also when enlarged
    "remove_config_comments": True,
    "abort_on_example_error": True,
}


def setup(app):
    """Connect what is done beside building."""
    write_empty_inventory()
    there_before = set(EXAMPLES.glob("*.png"))

    def remove_saved_pictures(*_):
        """Leave the examples' folder as it was: the gallery has pictures of its own."""
        for picture in set(EXAMPLES.glob("*.png")) - there_before:
            picture.unlink()

    app.connect("builder-inited", copy_notebooks)
    app.connect("build-finished", remove_saved_pictures)
    app.connect("autodoc-skip-member", skip_unsaid)
    app.connect("autodoc-process-signature", skip_signature_of_protocol)


def copy_notebooks(*_):
    """Put the examples' notebooks where Sphinx finds them, and a list of them beside them.

    Below its title, a page offers its notebook to be downloaded.
    """
    shutil.rmtree(NOTEBOOKS, ignore_errors=True)
    NOTEBOOKS.mkdir()
    notebooks = sorted(EXAMPLES.glob("*.ipynb"))
    for notebook in notebooks:
        text = notebook.read_text().replace("](../docs/", "](../")  # links to these pages
        page = json.loads(text)
        title, *below = page["cells"][0]["source"]
        link = f"{{download}}`Download {notebook.name} <../../examples/{notebook.name}>`"
        page["cells"][0]["source"] = [title, f"\n{link}\n", *below]
        (NOTEBOOKS / notebook.name).write_text(json.dumps(page))
    names = "\n".join(notebook.stem for notebook in notebooks)
    (NOTEBOOKS / "index.md").write_text(
        "# Notebooks\n\nThey can be run and changed, and are shown as they ran.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"
    )


def write_empty_inventory():
    """Write an inventory of no names, in the format of Sphinx."""
    head = ["# Sphinx inventory version 2", "# Project: none", "# Version: none"]
    head.append("# The remainder of this file is compressed using zlib.\n")
    EMPTY_INVENTORY.parent.mkdir(exist_ok=True)
    EMPTY_INVENTORY.write_bytes("\n".join(head).encode() + zlib.compress(b""))


def linkcode_resolve(domain, info):  # noqa: ARG001
    """Return the address of the lines that define a documented object, if it is our own."""
    first, *others = info["fullname"].split(".")
    found = getattr(importlib.import_module(info["module"]), first)
    for name in others:
        found = inspect.getattr_static(found, name)
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, functools.cached_property):
        found = found.func
    found = inspect.unwrap(getattr(found, "__func__", found))
    path = Path(inspect.getsourcefile(found))
    lines, start = inspect.getsourcelines(found)
    package = Path(vaesampler.__file__).parent
    if not path.is_relative_to(package):
        return None
    path = path.relative_to(package.parent).as_posix()
    return f"{SOURCES}/{COMMIT}/{path}#L{start}-L{start + len(lines) - 1}"


def skip_signature_of_protocol(app, what, name, of, options, signature, returned):  # noqa: ARG001
    """Leave out the parameters of a protocol, which no one makes an instance of."""
    return ("", returned) if getattr(of, "_is_protocol", False) else None


def skip_unsaid(app, what, name, member, skip, options):  # noqa: ARG001
    """Leave out fields of named tuples, of which Python says nothing but their number."""
    if (getattr(member, "__doc__", None) or "").startswith("Alias for field number"):
        return True
    return None

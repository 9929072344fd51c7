"""The built site works in a browser, leads nowhere that is not there, and needs no network."""

import io
import re
import runpy
import shutil
import threading
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from reference import public_objects

ROOT = Path(__file__).parent.parent
EXAMPLE_FILES = sorted([*ROOT.glob("examples/plot_*.py"), *ROOT.glob("examples/*.ipynb")])
SITE = ROOT / "docs" / "_build" / "html"
HOME = "index.html"
GUIDE = "user_guide.html"
GALLERY = "auto_examples/index.html"
EXAMPLE = "auto_examples/plot_uci_digits.html"
MIXED_TABLE = "auto_examples/plot_mixed_table.html"
REFERENCE = "api/generated/vaesampler.VAEOversampler.html"
PAGES = sorted(
    page.relative_to(SITE).as_posix()
    for page in SITE.rglob("*.html")
    if page.relative_to(SITE).parts[0] != "_static"  # the theme's templates
)
NOTEBOOKS = [page for page in PAGES if page.startswith("notebooks/")]
OPENED = [HOME, GUIDE, GALLERY, EXAMPLE, REFERENCE, *NOTEBOOKS]
PHONE, DESKTOP = 390, 1280  # pixels
SECONDS_TO_WAIT = 20
# What strangers look for, and the pages of which one must be among the first that are found.
FIRST_FOUND = 5
SEARCHES = {
    "VAEOversampler": [REFERENCE],
    "GPU": ["speed.html"],
    "SMOTENC": ["user_guide.html", "when_it_helps.html", "notebooks/compare_with_smote.html"],
    "boolean": ["tables.html"],
    "calibration": ["probabilities.html", "when_it_helps.html"],
    "cite": ["citing.html"],
    "conditional": ["drawing_on_demand.html"],
    "datetime": ["tables.html"],
    "faq": ["faq.html"],
    "imputation": ["faq.html", "pipelines.html", "drawing_on_demand.html"],
    "missing": ["drawing_on_demand.html", "tables.html", "auto_examples/plot_mixed_table.html"],
    "overfit": ["faq.html", "judging.html"],
    "save": [REFERENCE, "user_guide.html"],
    "seed": ["user_guide.html", "reliability.html"],
}
LINKS_TO_FOLLOW = ("author", "canonical", "index", "next", "prev", "search")  # not loaded

pytestmark = pytest.mark.skipif(
    not (SITE / HOME).exists(),
    reason="the site is not built: python -m sphinx -W --keep-going -b html docs "
    "docs/_build/html",
)


class Links(HTMLParser):
    """What a page links to, what it loads, and what of it can be linked to."""

    def __init__(self, page):
        super().__init__()
        self.hrefs, self.loaded, self.ids = set(), set(), set()
        self.feed((SITE / page).read_text())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.add(attributes.get("id"))
        if "src" in attributes:
            self.loaded.add(attributes["src"])
        if tag == "a" and "href" in attributes:
            self.hrefs.add(attributes["href"])
        if tag == "link" and attributes.get("rel") not in LINKS_TO_FOLLOW:
            self.loaded.add(attributes["href"])


links_of = cache(Links)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(page):
    for href in links_of(page).hrefs:
        parts = urlsplit(href)
        if parts.scheme or parts.netloc:
            continue
        target = (SITE / page).parent / unquote(parts.path) if parts.path else SITE / page
        assert target.resolve().is_file(), href
        if parts.fragment and target.suffix == ".html":
            ids = links_of(target.resolve().relative_to(SITE).as_posix()).ids
            assert unquote(parts.fragment) in ids, href


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_only_files_of_the_site(page):
    for address in links_of(page).loaded:
        parts = urlsplit(address)
        if parts.scheme == "data":
            continue
        assert not parts.netloc, address
        assert ((SITE / page).parent / unquote(parts.path)).resolve().is_file(), address


def test_the_reference_documents_the_public_names_each_with_an_example_and_its_source():
    pages = [page for page in PAGES if page.startswith("api/generated/")]
    documented = {
        one
        for page in pages
        for one in links_of(page).ids
        if str(one).startswith("vaesampler.")
    }
    assert documented == set(public_objects())
    for page in pages:
        text = (SITE / page).read_text()
        n_documented = text.count('<dt class="sig sig-object py" id="vaesampler.')
        assert text.count("Examples</p>") == n_documented, page
        links = [one for one in links_of(page).hrefs if "/vaesampler/blob/" in one]
        assert len(links) == len(set(links)) == n_documented, page


def test_projects_that_cannot_be_reached_are_no_warning(tmp_path):
    application = pytest.importorskip("sphinx.application", reason="Sphinx is not installed")
    configuration = runpy.run_path(str(ROOT / "docs" / "conf.py"))
    configuration["write_empty_inventory"]()
    unreachable = ("http://127.0.0.1:9/", (None, str(configuration["EMPTY_INVENTORY"])))
    (tmp_path / "index.rst").write_text("Page\n====\n\n:py:obj:`numpy.ndarray`\n")
    sphinx = application.Sphinx(
        *(tmp_path, None, tmp_path / "out", tmp_path / "doctrees", "html"),
        confoverrides={
            "extensions": ["sphinx.ext.intersphinx"],
            "intersphinx_mapping": {"numpy": unreachable},
        },
        status=io.StringIO(),
        warning=(warnings := io.StringIO()),
    )
    sphinx.build()
    assert warnings.getvalue() == ""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    """Serve the site on a free port, as the search needs a server."""
    handler = partial(QuietHandler, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    """Start a headless Chromium, driven by its own driver."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",  # which it refuses to start with where it is run by root
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    browser.set_script_timeout(SECONDS_TO_WAIT)
    yield browser
    browser.quit()


@pytest.fixture
def open_page(browser, address):
    """Return a function that opens a page, waits for it, and returns what went wrong."""

    def open_page(page, width=DESKTOP):
        browser.get_log("browser")  # of an earlier page
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(f"{address}/{page}")
        return [
            entry["message"]
            for entry in browser.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    return open_page


@pytest.mark.parametrize("page", OPENED)
def test_a_page_opens_without_complaint_and_every_picture_has_pixels(page, browser, open_page):
    assert open_page(page) == []
    # Pictures further down are loaded when they are scrolled to, unless asked for.
    widths = browser.execute_async_script("""
        const images = [...document.images], done = arguments[0];
        images.forEach(image => image.loading = "eager");
        Promise.allSettled(images.map(image => image.decode()))
            .then(() => done(images.map(image => image.naturalWidth)));
    """)
    assert all(width > 0 for width in widths)
    assert (len(widths) > 0) == ("<img" in (SITE / page).read_text())


@pytest.mark.parametrize("page", [HOME, GUIDE, GALLERY, EXAMPLE])
def test_home_the_guide_and_the_gallery_have_pictures(page):
    assert "<img" in (SITE / page).read_text()


def test_every_example_has_a_page():
    assert {path.stem for path in EXAMPLE_FILES} <= {Path(page).stem for page in PAGES}


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.name)
def test_the_page_of_an_example_offers_its_file(path):
    folder = "notebooks" if path.suffix == ".ipynb" else "auto_examples"
    page = f"{folder}/{path.stem}.html"
    files = [SITE / folder / unquote(href) for href in links_of(page).hrefs]
    (offered,) = [file for file in files if file.name == path.name]
    assert offered.read_text() == path.read_text()


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.name)
def test_the_page_of_an_example_shows_neither_a_warning_nor_a_path_of_the_builder(path):
    folder = "notebooks" if path.suffix == ".ipynb" else "auto_examples"
    page = (SITE / folder / f"{path.stem}.html").read_text()
    assert not re.search(r"Warning:|site-packages|\.py:\d", page)
    assert str(ROOT) not in page


@pytest.mark.parametrize("page", OPENED)
def test_nothing_is_fetched_from_elsewhere(page, browser, open_page, address):
    open_page(page)
    fetched = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert fetched
    assert [name for name in fetched if not name.startswith((address, "data:"))] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_not_wider_than_a_phone(page, browser, open_page):
    open_page(page, width=PHONE)
    # Tables, code and formulae have bars of their own; nothing else may stick out.
    too_wide = browser.execute_script("""
        const scrolls = "pre, table, .math, .pst-scrollable-table-container";
        return [...document.querySelectorAll("main article *")]
            .filter(node => !node.closest(scrolls))
            .filter(node => node.getBoundingClientRect().right > innerWidth + 1)
            .map(node => node.outerHTML.slice(0, 100));
    """)
    assert too_wide == []


@pytest.mark.parametrize("page", ["judging.html", MIXED_TABLE, *NOTEBOOKS])
def test_a_table_wider_than_a_phone_scrolls_and_has_shadows_at_its_edges(
    page, browser, open_page
):
    open_page(page, width=PHONE)
    backgrounds = browser.execute_script("""
        return [...document.querySelectorAll("main article table")]
            .map(table => {
                let box = table.parentElement;
                while (getComputedStyle(box).overflowX != "auto") box = box.parentElement;
                return box;
            })
            .filter(box => box.scrollWidth > box.clientWidth)
            .map(box => getComputedStyle(box).backgroundImage);
    """)
    assert len(backgrounds) > 0 or page == "notebooks/index.html"
    assert all(background.count("linear-gradient") == 4 for background in backgrounds)


def test_formulae_are_typeset(browser, open_page):
    open_page(GUIDE)
    n_formulae, n_typeset = browser.execute_async_script("""
        const done = arguments[0], count = name => document.querySelectorAll(name).length;
        const wait = () => count(".math") == count(".math mjx-container")
            ? done([count(".math"), count(".math mjx-container")]) : setTimeout(wait, 50);
        wait();
    """)
    assert n_formulae == n_typeset > 5


@pytest.mark.parametrize("words", SEARCHES)
def test_the_search_finds_what_strangers_look_for(words, browser, open_page):
    assert open_page(f"search.html?q={words}") == []
    found = browser.execute_async_script("""
        const done = arguments[0];
        const addresses = () => [...document.querySelectorAll("#search-results li a")]
            .map(link => link.pathname.slice(1));
        const wait = () => document.querySelector(".search-summary")?.textContent
            .match(/finished|did not match/) ? done(addresses()) : setTimeout(wait, 50);
        wait();
    """)
    assert set(found[:FIRST_FOUND]) & set(SEARCHES[words])

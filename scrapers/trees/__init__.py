"""A page's markup as a tree that is asked by selectors: read by BeautifulSoup, or many times faster where that is the
same."""

from scrapers.trees.libxml import LibxmlTree, Unlike
from scrapers.trees.selector import NotCompiled, compiles
from scrapers.trees.soup import SoupTree
from scrapers.trees.sweep import Sweep
from scrapers.trees.tree import Tree

__all__ = ["LibxmlTree", "NotCompiled", "SoupTree", "Sweep", "Tree", "Unlike", "compiles"]

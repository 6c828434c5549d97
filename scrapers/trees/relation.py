"""Combinators: is there an element beside, around or inside another one that passes a test?

What needs a look at many elements is remembered, so that a page takes time by its length, not by the square of it.
"""

from collections.abc import Callable, Iterable

from scrapers.trees.element import Element, Test

Children = Callable[[Element | None], Iterable[Element]]  # of the whole page, where the parent is None


def parent(test: Test) -> Test:
    """`test > …`"""
    return lambda element: (above := element.getparent()) is not None and test(above)


def ancestor(test: Test) -> Test:
    """`test …`"""
    known: dict[Element, bool] = {}  # whether it, or an ancestor of it, passes

    def found(element: Element) -> bool:
        passed = []
        above = element.getparent()
        while above is not None and above not in known:
            passed.append(above)
            if test(above):
                break
            above = above.getparent()
        answer = above is not None and known.get(above, True)
        for each in passed:
            known[each] = answer
        return answer

    return found


def ancestor_anew(test: Test) -> Test:
    """`test …`, where the answer to the test changes."""
    return lambda element: any(test(above) for above in element.iterancestors())


def neighbour(test: Test, *, before: bool) -> Test:
    """`test + …`, and `:has(+ test)`"""

    def found(element: Element) -> bool:
        nearest = next(element.itersiblings("*", preceding=before), None)
        return nearest is not None and test(nearest)

    return found


def earlier_sibling(test: Test, children: Children) -> Test:
    """`test ~ …`"""
    early: dict[Element | None, set[Element]] = {}  # parent -> its children up to the first that passes

    def found(element: Element) -> bool:
        above = element.getparent()
        if above not in early:
            early[above] = set()
            for child in children(above):
                early[above].add(child)
                if test(child):
                    break
        return element not in early[above]

    return found


def child(test: Test) -> Test:
    """`:has(> test)`"""
    return lambda element: any(test(below) for below in element.iterchildren("*"))


def descendant(test: Test, everything: Callable[[], Iterable[Element]]) -> Test:
    """`:has(test)`"""
    around: set[Element] = set()  # all that have a descendant that passes
    looked = False

    def found(element: Element) -> bool:
        nonlocal looked
        if not looked:
            looked = True
            for inner in filter(test, everything()):
                for above in inner.iterancestors():
                    if above in around:
                        break
                    around.add(above)
        return element in around

    return found

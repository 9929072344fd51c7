"""What the site's reference documents: public names, and where they are defined."""

import inspect
from functools import cached_property
from itertools import chain

import vaesampler
from vaesampler import comparison, exceptions, metrics, plotting

PACKAGES = [vaesampler, comparison, exceptions, metrics, plotting]
# The template of classes leaves their members out: the package itself uses them.
WITHOUT_MEMBERS = {"FeatureSchema"}


def public_objects():
    """Return the documented classes, functions, methods and properties by their full names."""
    found = {}
    for package in PACKAGES:
        for name in package.__all__:
            one = getattr(package, name)
            if inspect.ismodule(one) or one in found.values():
                continue
            found[f"{package.__name__}.{name}"] = one
            if inspect.isclass(one) and name not in WITHOUT_MEMBERS:
                members = documented_members(one)
                found |= {f"{package.__name__}.{name}.{key}": of for key, of in members.items()}
    return found


def documented_members(cls):
    """Return the functions that define the public methods and properties of a class.

    Those of its bases are documented with it if the bases are not public themselves.
    """
    private = [base for base in cls.__mro__[1:] if base.__module__.startswith("vaesampler.")]
    private = [base for base in private if not hasattr(vaesampler, base.__name__)]
    found = {}
    for name, member in chain.from_iterable(vars(one).items() for one in (cls, *private)):
        if isinstance(member, property):
            member = member.fget
        elif isinstance(member, cached_property):
            member = member.func
        elif isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if inspect.isfunction(member) and member.__doc__ and not name.startswith("_"):
            found[name] = member
    return found

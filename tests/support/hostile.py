"""Scenario files that would take minutes, or all memory, to read; and what they are refused with."""

LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
SIZE = "has more than 12,000 values or 50 levels"

DOCUMENTS = {
    "aliases that multiply": (LAUGHS, SIZE),
    "merge keys": ("a: &a {x: 1}\n" + "".join(f"k{n}: {{<<: *a}}\n" for n in range(9000)), "more than 100 merge keys"),
    "levels": ("[" * 190_000, SIZE),
    "levels of mappings": ("\n".join(" " * n + "a:" for n in range(600)), SIZE),
    "keys": ("".join(f"k{n}: 1\n" for n in range(18_000)), SIZE),
    "a long list": ("a: [" + "1," * 90_000 + "1]", SIZE),
    "anchors": ("".join(f"k{n}: &b{n} {{a: 1}}\n" for n in range(9000)), SIZE),
    "a tag": ("fund: !!python/object/apply:os.system [ls]", "has a YAML tag; only plain values are allowed"),
}

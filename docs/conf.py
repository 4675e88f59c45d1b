"""Sphinx configuration: user guide, API reference, gallery of examples."""

import re
from pathlib import Path

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.nodes import get_node_source
from sphinx_gallery.sorting import ExplicitOrder

import sknn
import sknn.display
import sknn.metrics

project = "sknn"
author = "the sknn developers"
copyright = f"2026, {author}"
release = version = sknn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
nitpicky = False
maximum_signature_line_length = 88

autosummary_generate = True
numpydoc_show_class_members = False

READING_ORDER = [
    "plot_quickstart.py",
    "plot_displays.py",
    "plot_mlp_xor.py",
    "plot_mlp_decision_boundaries.py",
    "plot_mlp_boolean.py",
    "plot_mlp_width.py",
    "plot_mlp_depth_parity.py",
    "plot_mlp_scaling.py",
    "plot_mlp_batch_size.py",
    "plot_mlp_optimizers.py",
    "plot_mlp_schedules.py",
    "plot_mlp_vanishing_gradients.py",
    "plot_mlp_deep_sigmoids.py",
    "plot_mlp_early_stopping.py",
    "plot_mlp_l1_l2.py",
    "plot_conv_digits_filters.py",
    "plot_conv_confusion.py",
    "plot_conv_tuning.py",
    "plot_conv_spectrum.py",
    "plot_ragged_vowels.py",
    "plot_attention_motions.py",
    "plot_names_tuning.py",
    "plot_karate_club.py",
    "plot_digits_few_labels.py",
    "plot_molecule_solubility.py",
    "plot_autoencoder_digits.py",
    "plot_autoencoder_anomalies.py",
    "plot_vae_latent_space.py",
    "plot_gan_digits.py",
    "plot_gan_search.py",
    "*",
]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "subsection_order": ExplicitOrder(
        [
            f"../examples/{name}"
            for name in (
                "computing",
                "training",
                "regularization",
                "images",
                "sequences",
                "graphs",
                "generation",
            )
        ]
    ),
    "within_subsection_order": ExplicitOrder(READING_ORDER),
    "abort_on_example_error": True,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sknn",),
    "reference_url": {"sknn": None},
    "show_memory": False,
    "show_signature": False,
    "plot_gallery": "True",
}

html_theme = "pydata_sphinx_theme"
html_title = f"sknn {version}"
html_sidebars = {"*": [], "auto_examples/*": [], "auto_examples/*/*": []}
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_align": "left",
}


def visit_inline_math(translator, node):
    """Write a formula as MathML, which needs no script and so no network."""
    translator.body.append(tex2mathml(node.astext()))
    raise SkipNode


def visit_displayed_math(translator, node):
    """Write a formula of its own line as MathML."""
    formula = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="formula">{formula}</div>')
    raise SkipNode


def check_api_list():
    """Raise if docs/api.rst and the packages' ``__all__`` list different names."""
    text = Path(__file__).with_name("api.rst").read_text(encoding="utf-8")
    documented = re.findall(r"^   (\w+)$", text, flags=re.MULTILINE)
    exported = [*sknn.__all__, *sknn.metrics.__all__, *sknn.display.__all__]
    if sorted(documented) != sorted(exported):
        raise ValueError(
            f"docs/api.rst lists {sorted(documented)}, "
            f"sknn, sknn.metrics and sknn.display export {sorted(exported)}."
        )


def resolve_inherited_reference(app, env, node, contnode):
    """Show as plain text what docstrings inherited from scikit-learn refer to."""
    source = get_node_source(node) or ""
    return contnode if "docstring of sklearn." in source else None


def setup(app):
    """Connect the hooks above."""
    check_api_list()
    app.add_html_math_renderer(
        "mathml", (visit_inline_math, None), (visit_displayed_math, None)
    )
    app.connect("missing-reference", resolve_inherited_reference)

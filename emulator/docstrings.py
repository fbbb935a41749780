"""Docstrings of attributes as descriptions in a JSON schema, read when a schema is made.

Pydantic itself (``use_attribute_docstrings``) reads the source of every model whenever its module
is imported, which takes a tenth of the processor time of a short run.
"""

import ast
import inspect
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

__all__ = ["DescribedSchema"]


class DescribedSchema(GenerateJsonSchema):
    """A ``schema_generator`` that describes each property by the docstring of its attribute."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """Return the schema of one model, for which Pydantic calls this."""
        described = super().model_schema(schema)
        texts = _docstrings(schema["cls"])
        described["properties"] = {
            name: {**prop, "description": texts[name]} if name in texts else prop
            for name, prop in described["properties"].items()
        }
        return described


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Read the docstrings of the fields of ``model``, those it inherits included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__[: model.__mro__.index(BaseModel)]):
        (tree,) = ast.parse(dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, after in pairwise(tree.body):
            match field, after:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                    found[name] = inspect.cleandoc(text)
    return found

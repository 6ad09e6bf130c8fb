"""Things that packages find by their names."""

import typing

import attrs
import click
import pydantic
import yaml


class Model(pydantic.BaseModel):
    x: int
    next: typing.Optional["Model"] = None


@attrs.define
class Box:
    width: int
    height: int = attrs.field(default=2, validator=attrs.validators.instance_of(int))


@click.command()
@click.option("--count", default=1)
@click.argument("name")
def hello(count, name):
    for _ in range(count):
        click.echo(f"Hello {name}")
        print("printed")


class Loaded(yaml.YAMLObject):
    yaml_tag = "!loaded"
    yaml_loader = yaml.SafeLoader

    def __init__(self, x):
        self.x = x

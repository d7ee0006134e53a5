"""What all commands that perform an operation share: the AWS CLI's way of giving parameters, skeletons and output."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import aws_output_options
from tokenctl.aws_style.target_options import Option, complete_from, target_options, with_options
from tokenctl.errors import UsageError
from tokenctl.stack.target import Target

if TYPE_CHECKING:
    from tokenctl.aws_style.operation import Operation

Perform = Callable[..., Mapping[str, Any]]

INLINE_WARNING: Final = (
    "tokenctl: warning: there is a secret on the command line, where other processes can see it. "
    "Put it into a file and give file://<path>, or pipe it and give file:///dev/stdin."
)

INPUT_OPTIONS: Final = (
    click.option("--cli-input-json", metavar="<json>", help="All parameters as JSON, text or file://."),
    click.option("--cli-input-yaml", metavar="<yaml>", help="All parameters as YAML, text or file://."),
    click.option(
        "--generate-cli-skeleton",
        is_flag=False,
        flag_value="input",
        type=click.Choice(["input", "yaml-input", "output"]),
        help="Send nothing. input (the default), yaml-input: print sample parameters for --cli-input-json or "
        "--cli-input-yaml. output: validate the parameters and print a sample answer.",
    ),
)


def operation_command(
    operation: str, option: str, help_text: str, *own_options: Option, stored: Mapping[str, Any] | None = None
) -> Callable[[Perform], Callable[..., None]]:
    """Turn a function that performs an operation into the body of a command.

    The command gets `--provider`, `option`, which gives the operation's other parameter, and its own options. The
    function receives a `target`, valid `parameters` and the own options, and returns the answer. `stored` is a sample
    of the answer with --store.
    """
    first, *rest = option.removeprefix("--").split("-")
    members = {"--provider": "provider", option: first + "".join(map(str.capitalize, rest))}
    options = (
        click.option(
            "--provider",
            metavar="<value>",
            shell_complete=complete_from("figma"),
            help="The third-party provider for the token; figma is the only one.",
        ),
        click.option(option, metavar="<value>", help=f"{help_text}, the same as a JSON object, or file://."),
        *own_options,
        *INPUT_OPTIONS,
    )

    def decorate(perform: Perform) -> Callable[..., None]:
        @functools.wraps(perform)
        def command(
            *,
            target: Target,
            output: Output,
            cli_input_json: str | None,
            cli_input_yaml: str | None,
            generate_cli_skeleton: str | None,
            **others: Any,  # noqa: ANN401 - the command's own
        ) -> None:
            from tokenctl.aws_style.operation import Operation

            model = Operation(operation)
            texts = {name: others.pop(name.removeprefix("--").replace("-", "_")) for name in members}
            documents = {"--cli-input-json": cli_input_json, "--cli-input-yaml": cli_input_yaml}
            skeleton = _SKELETONS.get(generate_cli_skeleton)
            parameters = _parameters(
                model, members, _without_none(texts), _without_none(documents), required=skeleton is None
            )
            if skeleton:
                click.echo(skeleton(model))
                return
            model.validate(parameters)
            parameters = model.without_empty_options(parameters)
            # Before the call, which cannot be undone: an answer that cannot be printed would be lost.
            output = output.with_format(target.aws)
            sample = generate_cli_skeleton == "output"
            if not sample:
                output.check(operation, stored if others.get("store") else model.likely_answer())
            answer = model.sample_answer() if sample else perform(target=target, parameters=parameters, **others)
            output.show(operation, dict(answer), target.aws)

        return with_options(target_options(aws_output_options(command)), options)

    return decorate


def _parameters(
    model: "Operation",
    options: Mapping[str, str],
    texts: Mapping[str, str],
    documents: Mapping[str, str],
    *,
    required: bool,
) -> dict[str, Any]:
    """Return the parameters; an option replaces the same parameter in a document."""
    from tokenctl.aws_style.arguments import is_inline, parse_document, parse_option

    if len(documents) > 1:
        raise UsageError(f"Only one of {' and '.join(documents)} may be given.")
    missing = [option for option in options if option not in texts]
    if missing and required and not documents:
        raise UsageError(f"The following options are required: {', '.join(missing)}.")
    inline = False
    parameters: dict[str, Any] = {}
    for option, text in documents.items():
        parameters = parse_document(option, text)
        inline = is_inline(text, model.secrets_in(parameters))
    for option, text in texts.items():
        member = options[option]
        parameters[member] = parse_option(option, model.members[member], text)
        inline |= is_inline(text, model.secrets_in({member: parameters[member]}))
    if inline:
        click.echo(INLINE_WARNING, err=True)
    return parameters


def _without_none(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {option: text for option, text in texts.items() if text is not None}


def _input_json(model: "Operation") -> str:
    from tokenctl.aws_style.skeleton import input_json

    return input_json(model)


def _input_yaml(model: "Operation") -> str:
    from tokenctl.aws_style.skeleton import input_yaml

    return input_yaml(model)


_SKELETONS: Final[Mapping[str | None, Callable[["Operation"], str]]] = {
    "input": _input_json,
    "yaml-input": _input_yaml,
}

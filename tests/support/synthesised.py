"""A stack's template as the tests of the stack read it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STAGES = ("dev", "prod", "local")
VARIANTS: dict[str, tuple[str, dict[str, str]]] = {
    **{stage: (stage, {}) for stage in STAGES},
    "prod-figma": ("prod", {"issuer": "figma"}),
    "prod-static": ("prod", {"issuer": "static"}),
    "prod-fleet": ("prod", {"issuer": "figma", "connections": "true", "providers": "figma,linear"}),
    "prod-signing": ("prod", {"issuer": "google-service-account", "issuer_scope": "files:read"}),
    "dev-oauth2": (
        "dev",
        {
            "issuer": "oauth2",
            "oauth2_token_url": "https://sign-in.example/token?tenant=1",
            "oauth2_client_auth": "post",
            "oauth2_scope": "files:read offline",
            "oauth2_extra_parameters": '{"resource": "r", "audience": "a"}',
            "oauth2_default_lifetime_seconds": "600",
        },
    ),
}
"""The stacks under test: each stage as cdk.json has it, and each of the other issuers."""
APP_SECRET = "AWS::SecretsManager::Secret of the app"
"""What `by_type` calls the type of the secret with the app's credentials. The other secret holds the pair."""
Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    """A stack's template. References name the type they point to, never a logical id."""

    stage: str
    issuer: str = "amplify"
    template: dict[str, Any]

    @property
    def has_fleet(self) -> bool:
        return "ConnectionsTableName" in self.template["Outputs"]

    @property
    def text(self) -> str:
        return json.dumps(self.template)

    def resources(self, kind: str) -> list[Resource]:
        return [resource for resource in self.template["Resources"].values() if resource["Type"] == kind]

    def only(self, kind: str) -> Resource:
        (resource,) = self.resources(kind)
        return resource

    @property
    def policies(self) -> list[str]:
        """Every policy document, with the type of resource that has it, in an order that names do not change."""
        kept = ("AssumeRolePolicyDocument", "Policies", "PolicyDocument", "KeyPolicy")
        found = [
            (one["Type"], {key: one["Properties"][key] for key in kept if key in one.get("Properties", {})})
            for one in self.template["Resources"].values()
        ]
        return sorted(json.dumps(policies, sort_keys=True) for policies in found if policies[1])


def by_type(template: Mapping[str, Any]) -> dict[str, Any]:
    """Put a resource's type wherever its logical id is referred to."""
    app = "Credentials of the app"
    types = {
        name: APP_SECRET if resource.get("Properties", {}).get("Description", "").startswith(app) else resource["Type"]
        for name, resource in template["Resources"].items()
    }

    def rename(node: Any) -> Any:
        match node:
            case {"Ref": str(name)}:
                return {"Ref": types.get(name, name)}
            case {"Fn::GetAtt": [str(name), attribute]}:
                return {"Fn::GetAtt": [types[name], attribute]}
            case dict():
                return {key: rename(value) for key, value in node.items()}
            case list():
                return [rename(value) for value in node]
            case _:
                return node

    renamed: dict[str, Any] = rename(dict(template))
    for name, resource in renamed["Resources"].items():
        resource["Type"] = types[name]
    return renamed

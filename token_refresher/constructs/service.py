"""What one deployment offers to an app: an alias for consumers, and metrics."""

from typing import TypedDict, Unpack

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from refresh_token.signals import NAMESPACE, SERVICE
from token_refresher.constructs.client_layer import ClientLayer
from token_refresher.prop_rules import demand


class MetricOptions(TypedDict, total=False):
    """The options of a metric, with the names and meanings of `aws_cloudwatch.Metric`."""

    account: str
    color: str
    id: str
    label: str
    period: Duration
    region: str
    statistic: str
    unit: cloudwatch.Unit
    visible: bool


class Service(Construct):
    """A function that consumers call by its alias, and whose metrics have `service_name` as the dimension `service`."""

    service_name: str
    alias: lambda_.Alias
    """The alias `live`. Consumers call it."""
    layer: lambda_.LayerVersion | None
    """The layer with `token_client`, unless `client_layer` is false."""

    _title: str
    _layers: dict[str, lambda_.LayerVersion]
    """The client's layers, by the address of the stack that uses them."""

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let the grantee get tokens, by invoking the alias `live`."""
        demand("grantee", grantee, iam.IGrantable)
        return self.alias.grant_invoke(grantee)

    def layer_in(self, scope: Construct) -> lambda_.LayerVersion:
        """Return the client's layer for the functions of the stack that `scope` is in.

        In the service's own stack it is `layer`. Another stack gets a layer version of its own: if it used `layer`,
        CloudFormation would refuse each new version for as long as that stack imports the old one.
        """
        demand("scope", scope, IConstruct)
        stack = Stack.of(scope)
        place = stack.node.addr
        if place not in self._layers:
            self._layers[place] = ClientLayer(stack, f"TokenClient{self.node.addr[-8:]}", title=self._title).layer
        return self._layers[place]

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return any metric of the function, by name."""
        return self._metric(metric_name, {}, options)

    def _state(self, name: str, options: MetricOptions) -> cloudwatch.Metric:
        options.setdefault("statistic", "Maximum")
        return self._metric(name, {}, options)

    def _metric(self, name: str, dimensions: dict[str, str], options: MetricOptions) -> cloudwatch.Metric:
        options.setdefault("statistic", "Sum")
        options.setdefault("period", Duration.minutes(5))
        metric = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={SERVICE: self.service_name, **dimensions},
            **options,
        )
        return metric if {"account", "region"} & options.keys() else metric.attach_to(self)

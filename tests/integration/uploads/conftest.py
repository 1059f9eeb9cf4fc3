"""The app on real services, with a state machine that waits for a confirmation like the job's."""

import json

import pytest
from deployments import client_of
from starlette.testclient import TestClient
from upload_flow import WAITING_STATE, headers

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.services import Services
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices


@pytest.fixture
def api(services: Services, company: ConnectionRecord) -> ApiServices:  # noqa: ARG001 - provisions it
    """The API's services in the test's own deployment, where `company` is provisioned."""
    name = services.settings.table_name
    role = client_of("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "states.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )["Role"]["Arn"]
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}],
    }
    client_of("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(everything))
    definition = json.loads(json.dumps(WAITING_STATE))
    definition["States"]["WaitForConfirm"]["Arguments"]["TableName"] = name
    arn = services.stepfunctions.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    made = ApiServices(services.settings.model_copy(update={"state_machine_arn": arn}))
    made.postgres_secret = services.postgres_secret
    return made


@pytest.fixture
def client(api: ApiServices, company: ConnectionRecord) -> TestClient:
    """A client for the company, with every permission."""
    return TestClient(create_app(api), headers=headers(api, company.company_id))

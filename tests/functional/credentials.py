"""Credentials that are not a user's for a project, made by Keystone for the users of a cloud."""

import yaml


def rules(*services):
    """Return access rules that let services be read."""
    return [{'service': service, 'method': method, 'path': '/**'}
            for service in services for method in ('GET', 'HEAD')]


def odd_credentials(cloud):
    """Write a clouds.yaml with a cloud for each kind of credentials; return what points there."""
    clouds = yaml.safe_load((cloud.folder / 'clouds.yaml').read_text())['clouds']
    made = {}

    def add(name, auth, **entries):
        cloud.secrets.extend(value for key, value in auth.items() if key.endswith('secret'))
        made[name] = {**clouds['glance'], **entries,
                      'auth': {'auth_url': clouds['glance']['auth']['auth_url'], **auth}}

    def of_user(name):
        return {key: value for key, value in clouds[name]['auth'].items()
                if not key.startswith('project')}

    def post(path, kind, **values):
        answer = cloud.sdk().identity.post(path, json={kind: values})
        assert answer.status_code == 201, answer.text
        return answer.json()[kind]

    sessions = {user: cloud.sdk(user).session for user in ('glance', 'demo', 'admin')}
    user_id, trustee, admin = (session.get_user_id() for session in sessions.values())
    for name, values in {
            'unrestricted': {'unrestricted': True}, 'restricted': {},
            'one role of two': {'roles': [{'name': 'admin'}]},
            'rules for both': {'access_rules': rules('image', 'object-store')},
            'rules for images': {'access_rules': rules('image')},
            'rules for objects': {'access_rules': rules('object-store')}}.items():
        found = post(f'/users/{user_id}/application_credentials',
                     'application_credential', name=name, **values)
        add(name, {f'application_credential_{key}': found[key] for key in ('id', 'secret')},
            auth_type='v3applicationcredential')
    trust = post('/OS-TRUST/trusts', 'trust', trustor_user_id=user_id,
                 trustee_user_id=trustee, project_id=sessions['glance'].get_project_id(),
                 impersonation=True, roles=[{'name': 'admin'}, {'name': 'service'}])
    add('trust', {**of_user('demo'), 'trust_id': trust['id']})
    identity = cloud.sdk('admin').identity
    role, = identity.get('/roles?name=admin').json()['roles']
    given = identity.put(f'/domains/default/users/{admin}/roles/{role["id"]}')
    assert given.status_code == 204, given.text
    add('domain', {**of_user('admin'), 'domain_name': 'Default'})
    add('system', {**of_user('admin'), 'system_scope': 'all'})
    add('unscoped', of_user('demo'))
    path = cloud.home / 'credentials.yaml'
    path.write_text(yaml.safe_dump({'clouds': made}))
    return {'OS_CLIENT_CONFIG_FILE': str(path)}

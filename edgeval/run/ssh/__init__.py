"""A device over the system's own ssh: one connection, one folder there, nothing sent twice."""

from edgeval.run.ssh.host import SshHost

__all__ = ["SshHost"]

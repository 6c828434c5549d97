"""The servers that the tests start are real, can be killed, and know afterwards what they knew."""

import psycopg
import redis

from tests.servers import PostgresServer, RedisServer


def test_redis_is_killed_and_started_again_with_what_it_had(redis_server: RedisServer, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("a", "1")
    redis_server.stop()
    assert not redis_server.running
    redis_server.start()
    with redis.Redis.from_url(redis_url) as client:
        assert client.get("a") == b"1"
        redis_server.flush()
        assert client.get("a") is None


def test_postgresql_is_killed_and_knows_what_it_committed(postgres: PostgresServer, postgres_url: str) -> None:
    address = postgres_url.replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    postgres.kill()
    assert not postgres.running
    postgres.start()
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (1,)

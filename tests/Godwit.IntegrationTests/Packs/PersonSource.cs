using Godwit.Fixtures;
using Npgsql;
using Xunit;

namespace Godwit.IntegrationTests.Packs;

/// <summary>
/// PostHog's PostgreSQL with ten persons, which Kafka has brought too. The version of 1 is old, that of 2 is not known, that of the others is newer than Kafka's.
/// </summary>
public sealed class PersonSource : IAsyncLifetime
{
    private PostgresFixture _postgres = null!;

    public NpgsqlDataSource Source { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresFixture.StartAsync();
        Source = NpgsqlDataSource.Create(_postgres.ConnectionString);
        await using var command = Source.CreateCommand(
            """
            CREATE TABLE posthog_person (id bigserial PRIMARY KEY, uuid uuid NOT NULL, created_at timestamptz NOT NULL, team_id integer NOT NULL, properties jsonb NOT NULL, is_identified boolean NOT NULL, version bigint);
            INSERT INTO posthog_person (uuid, created_at, team_id, properties, is_identified, version)
            SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '2021-01-01T00:00:00.5Z', 1, '{"from": "postgres"}', true, CASE n WHEN 1 THEN 1 WHEN 2 THEN NULL ELSE 5 END FROM generate_series(0, 9) AS n;
            """);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Adds a person that Kafka has not brought, unless that was done before.</summary>
    public async Task AddAsync()
    {
        await using var command = Source.CreateCommand(
            """
            INSERT INTO posthog_person (uuid, created_at, team_id, properties, is_identified, version) SELECT '00000000-0000-4000-8000-0000000000ff', now(), 1, '{}', false, 1
            WHERE NOT EXISTS (SELECT FROM posthog_person WHERE uuid = '00000000-0000-4000-8000-0000000000ff')
            """);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _postgres.DisposeAsync();
    }
}

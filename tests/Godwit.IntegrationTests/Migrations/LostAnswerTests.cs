using Godwit.Fixtures;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>What the server did without an answer is never done twice, and what came since is never taken along.</summary>
public sealed class LostAnswerTests(RealEngine real)
{
    private const string Head = "name: m\ndescription: For a test\noperations:\n";

    [Fact]
    public async Task A_statement_under_which_the_server_died_is_left_to_a_person()
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        await using var c = await MigrationCase.NewAsync(engine);
        await c.SqlAsync("CREATE TABLE {db}.t (a UInt64) ENGINE = MergeTree ORDER BY a");
        var migrator = c.Knows(
            $"{Head}  - sql: INSERT INTO {{db}}.t SELECT number + sleepEachRow(0.2) FROM numbers(20) SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, max_insert_threads = 1\n    undo: TRUNCATE TABLE {{db}}.t\n");
        var runId = await MigrationCase.CreateAsync(migrator, "m");
        var run = migrator.RunAsync(runId, ct: MigrationCase.Ct);
        await Wait.UntilAsync(async () => await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.t") >= 2, MigrationCase.Ct);

        await engine.KillAsync();
        await engine.RestartAsync();

        var held = await run;
        held.State.ShouldBe(RunState.NeedsOperator, held.Problem);
        (await c.AskAsync<long>("SELECT toInt64(count() - uniqExact(a)) FROM {db}.t")).ShouldBe(0);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.t")).ShouldBeLessThan(20);
        (await migrator.RollbackAsync(runId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
    }

    [Fact]
    public async Task A_log_that_was_emptied_since_does_not_tell_that_nothing_happened()
    {
        await using var engine = await EngineFixture.StartAsync(hasQueryLog: true);
        Func<Task> emptyAsync = null!;
        using var network = new LossyNetwork(sql => sql.StartsWith("INSERT INTO", StringComparison.Ordinal), () => emptyAsync());
        await using var c = await MigrationCase.NewAsync(engine, network);
        emptyAsync = async () =>
        {
            // The server may answer before it has logged the end.
            await Wait.UntilAsync(
                async () =>
                {
                    await c.SqlAsync("SYSTEM FLUSH LOGS");
                    return await c.AskAsync<long>("SELECT toInt64(count()) FROM system.query_log WHERE type = 'QueryFinish' AND query LIKE 'INSERT INTO%'") > 0;
                },
                MigrationCase.Ct);
            await c.SqlAsync("TRUNCATE TABLE system.query_log");
        };
        await c.SqlAsync("CREATE TABLE {db}.t (a UInt64) ENGINE = MergeTree ORDER BY a");
        var migrator = c.Knows($"{Head}  - sql: INSERT INTO {{db}}.t SELECT 1\n    settings: {{ log_queries: 0 }}\n    undo: TRUNCATE TABLE {{db}}.t\n");

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.NeedsOperator, run.Problem);
        (await migrator.ResumeAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.t")).ShouldBe(1);
    }

    [Theory]
    [InlineData("replacePartition: '{db}.a'\n    partition: '1'\n    from: '{db}.b'", "REPLACE PARTITION", 3)]
    [InlineData("movePartition: '{db}.a'\n    partition: '1'\n    to: '{db}.c'", "MOVE PARTITION", 0)]
    [InlineData("dropPartition: '{db}.a'\n    partition: '1'", "MOVE PARTITION", 0)]
    public async Task A_partition_that_was_changed_without_an_answer_keeps_what_is_written_since(string operation, string statement, int rows)
    {
        Func<string, Task> insertAsync = null!;
        using var network = new LossyNetwork(
            sql => sql.Contains("`a` " + statement, StringComparison.Ordinal), () => insertAsync("INSERT INTO {db}.a VALUES (1, 1000)"));
        await using var c = await MigrationCase.NewAsync(real.Engine, network);
        insertAsync = sql => c.SqlAsync(sql);
        foreach (var name in new[] { "a", "b", "c" })
        {
            await c.SqlAsync($"CREATE TABLE {{db}}.{name} (part UInt8, id UInt64) ENGINE = MergeTree PARTITION BY part ORDER BY id");
        }

        await c.SqlAsync("INSERT INTO {db}.a SELECT 1, number FROM numbers(5)", "INSERT INTO {db}.b SELECT 1, number FROM numbers(3)");
        var migrator = c.Knows($"{Head}  - {operation}\n");

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        network.Sent.ShouldBe(1);
        (await c.AskAsync<long>("SELECT toInt64(count()) FROM {db}.a WHERE part = 1")).ShouldBe(rows + 1);
    }
}

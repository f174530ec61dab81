using Godwit.Operations;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Migrations;

/// <summary>Tables get other names, also when one takes the place of another, and a rollback gives them back.</summary>
public sealed class RenameTests(RealEngine real)
{
    private const string Head = "name: m\ndescription: For a test\noperations:\n";
    private const string Swap = Head + "  - rename: { '{db}.t': '{db}.t_old', '{db}.t_new': '{db}.t' }\n";

    [Fact]
    public async Task A_new_table_takes_the_place_of_the_old_one_and_gives_it_back()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Swap);

        for (var time = 0; time < 2; time++)
        {
            var run = await MigrationCase.RunAsync(migrator, "m");
            run.State.ShouldBe(RunState.Completed, run.Problem);
            (await TablesAsync(c)).ShouldBe("t:new t_old:old");
            (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
            (await TablesAsync(c)).ShouldBe("t:old t_new:new");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("RENAME TABLE {db}.t TO {db}.t_new")]
    [InlineData("RENAME TABLE {db}.t TO {db}.t_new, {db}.t_old TO {db}.t")]
    public async Task However_much_of_it_was_done_without_an_answer_the_rest_is_done_and_undone(string meanwhile)
    {
        Func<Task> undoAsync = null!;
        using var network = new LossyNetwork(sql => sql.StartsWith("RENAME TABLE", StringComparison.Ordinal), () => undoAsync());
        await using var c = await MigrationCase.NewAsync(real.Engine, network);
        await MakeAsync(c);
        undoAsync = async () =>
        {
            if (meanwhile.Length > 0)
            {
                using var other = real.Engine.Gateway();
                await other.ExecuteAsync(meanwhile.Replace("{db}", c.Database, StringComparison.Ordinal), ct: MigrationCase.Ct);
            }
        };
        var migrator = c.Knows(Swap);

        var run = await MigrationCase.RunAsync(migrator, "m");

        run.State.ShouldBe(RunState.Completed, run.Problem);
        (await TablesAsync(c)).ShouldBe("t:new t_old:old");
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await TablesAsync(c)).ShouldBe("t:old t_new:new");
    }

    [Fact]
    public async Task What_somebody_else_has_put_in_its_place_is_not_renamed_back()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows(Swap);
        var run = await MigrationCase.RunAsync(migrator, "m");
        await c.SqlAsync("RENAME TABLE {db}.t_old TO {db}.mine", "CREATE TABLE {db}.t_old (other UInt8) ENGINE = MergeTree ORDER BY other");

        var refused = await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct);

        refused.State.ShouldBe(RunState.Failed);
        refused.Problem!.ShouldContain("t_old");
        refused.Problem!.ShouldContain("is not what this run has called so");
        await c.SqlAsync("DROP TABLE {db}.t_old SYNC", "RENAME TABLE {db}.mine TO {db}.t_old");
        (await migrator.RollbackAsync(run.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await TablesAsync(c)).ShouldBe("t:old t_new:new");
    }

    [Fact]
    public async Task A_name_that_is_taken_or_gone_is_told_before_anything_is_renamed()
    {
        await using var c = await NewAsync();
        await c.SqlAsync("CREATE TABLE {db}.t_old (a UInt8) ENGINE = Memory");
        (await MigrationCase.RefusalAsync(c.Knows(Swap), "m")).ShouldContain("t_old is there already");

        await c.SqlAsync("DROP TABLE {db}.t_old SYNC", "DROP TABLE {db}.t_new SYNC");
        var failed = await MigrationCase.RunAsync(c.Knows(Swap), "m");

        failed.Problem!.ShouldContain($"there is no {c.Database}.t_new to be renamed");
        (await TablesAsync(c)).ShouldBe("t:old");
    }

    [Fact]
    public async Task The_old_table_of_a_rebuild_can_be_kept_for_good()
    {
        await using var c = await NewAsync();
        var migrator = c.Knows($"{Head}  - rebuild: '{{db}}.t'\n    orderBy: (b, a)\n  - keepOld: '{{db}}.t'\n    as: '{{db}}.t_before'\n");
        var first = await MigrationCase.RunAsync(migrator, "m");
        first.State.ShouldBe(RunState.Completed, first.Problem);
        (await TablesAsync(c)).ShouldBe("t:old t_before:old t_new:new");
        await c.SqlAsync("INSERT INTO {db}.t VALUES (7, 'late')");
        (await migrator.RollbackAsync(first.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.RolledBack);
        (await c.AskAsync<string>("SELECT concat(arrayStringConcat(arraySort(groupArray(b)), ','), ' by ', (SELECT sorting_key FROM system.tables WHERE database = '{db}' AND name = 't')) FROM {db}.t")).ShouldBe("late,old by a");

        var again = await MigrationCase.RunAsync(migrator, "m");
        (await migrator.CleanUpAsync(again.RunId, ct: MigrationCase.Ct)).State.ShouldBe(RunState.Completed);

        (await c.AskAsync<string>("SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = '{db}'")).ShouldBe("t t_before t_new");
        (await c.AskAsync<long>("SELECT count() FROM {db}.t_before")).ShouldBe(2);
    }

    [Theory]
    [InlineData("{ a.t: a.u, a.t2: a.u }", "Two things would be called a.u.")]
    [InlineData("{ a.new: a.t, a.t: a.old }", "a.t would be taken before it is free")]
    [InlineData("{ a.t: a.t }", "a.t would be taken before it is free")]
    public void Pairs_that_cannot_be_done_are_problems_of_the_definition(string pairs, string sentence) =>
        Godwit.Migrations.Yaml.YamlReader.Read("m.yaml", $"{Head}  - rename: {pairs}\n").Problems.ShouldContain(p => p.Message.Contains(sentence, StringComparison.Ordinal));

    [Fact]
    public void Nothing_to_rename_is_a_problem_of_the_definition() => new RenameOperation([]).Problems().ShouldHaveSingleItem().ShouldContain("Nothing is renamed");

    /// <summary>The tables, each with what its oldest row says.</summary>
    private static async Task<string> TablesAsync(MigrationCase c)
    {
        List<string> tables = [];
        foreach (var row in await c.Gateway.QueryAsync($"SELECT name FROM system.tables WHERE database = '{c.Database}' AND engine = 'MergeTree' ORDER BY name", ct: MigrationCase.Ct))
        {
            tables.Add($"{row["name"]}:{await c.AskAsync<string>($"SELECT argMin(b, a) FROM {{db}}.{row["name"]}")}");
        }

        return string.Join(' ', tables);
    }

    private async Task<MigrationCase> NewAsync()
    {
        var c = await MigrationCase.NewAsync(real.Engine);
        await MakeAsync(c);
        return c;
    }

    private static Task MakeAsync(MigrationCase c) => c.SqlAsync(
        "CREATE TABLE {db}.t (a UInt8, b String) ENGINE = MergeTree ORDER BY a",
        "INSERT INTO {db}.t VALUES (1, 'old')",
        "CREATE TABLE {db}.t_new (a UInt8, b String) ENGINE = MergeTree ORDER BY (a, b)",
        "INSERT INTO {db}.t_new VALUES (1, 'new')");
}

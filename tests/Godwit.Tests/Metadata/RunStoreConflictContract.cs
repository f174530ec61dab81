using Godwit.Metadata;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Metadata;

/// <summary>Which runs every store keeps from meeting.</summary>
public abstract class RunStoreConflictContract : RunStoreFiguresContract
{
    [Theory]
    [InlineData(RunState.Starting, "wait until it is through; `godwit status aaaaaaaa` shows how far it is.")]
    [InlineData(RunState.Running, "wait until it is through; `godwit status aaaaaaaa` shows how far it is.")]
    [InlineData(RunState.RollingBack, "wait until it is through; `godwit status aaaaaaaa` shows how far it is.")]
    [InlineData(RunState.Paused, "`godwit resume aaaaaaaa` or `godwit rollback aaaaaaaa` first.")]
    [InlineData(RunState.AwaitingCutover, "`godwit cutover aaaaaaaa` or `godwit rollback aaaaaaaa` first.")]
    public async Task A_run_is_refused_while_another_is_active_on_the_instance(RunState state, string remedy)
    {
        await CreateAsync(StoreSamples.Run("aaaaaaaa", state: state));
        var refused = await Should.ThrowAsync<RunConflictException>(CreateAsync(StoreSamples.Run("bbbbbbbb", table: "db.other")));
        refused.RunId.ShouldBe("aaaaaaaa");
        refused.Message.ShouldBe($"Run aaaaaaaa on db.t is {state}, and an instance takes one run at a time: {remedy}");
        (await Store.FindRunAsync("bbbbbbbb", Ct)).ShouldBeNull();
        await CreateAsync(StoreSamples.Run("bbbbbbbb", instance: "another:8123"));
    }

    [Fact]
    public async Task As_many_runs_are_active_as_the_settings_say_and_never_two_on_a_table()
    {
        await Store.PutSettingAsync("maxConcurrentRuns", "2", new AuditEntry(StoreSamples.Noon, "ada", "set", "maxConcurrentRuns"), Ct);
        await CreateAsync(StoreSamples.Run("aaaaaaaa", state: RunState.Running));

        (await Should.ThrowAsync<RunConflictException>(CreateAsync(StoreSamples.Run("bbbbbbbb")))).RunId.ShouldBe("aaaaaaaa");
        await CreateAsync(StoreSamples.Run("bbbbbbbb", table: "db.other", state: RunState.Running));

        (await Should.ThrowAsync<RunConflictException>(CreateAsync(StoreSamples.Run("cccccccc", table: "db.third")))).Message.ShouldContain("an instance takes 2 runs at a time, on different tables");
    }

    [Theory]
    [InlineData(RunState.Running)]
    [InlineData(RunState.Failed)]
    [InlineData(RunState.NeedsOperator)]
    public async Task A_migration_never_runs_beside_a_run_of_its_own(RunState state)
    {
        await Store.PutSettingAsync("maxConcurrentRuns", "2", new AuditEntry(StoreSamples.Noon, "ada", "set", "maxConcurrentRuns"), Ct);
        await CreateAsync(StoreSamples.Run("aaaaaaaa", state: state) with { Migration = "m", Tables = [] });

        (await Should.ThrowAsync<RunConflictException>(CreateAsync(StoreSamples.Run("bbbbbbbb") with { Migration = "m", Tables = [] }))).RunId.ShouldBe("aaaaaaaa");

        await CreateAsync(StoreSamples.Run("cccccccc") with { Migration = "other", Tables = [] });
    }

    [Theory]
    [InlineData(RunState.Failed, ": `godwit resume aaaaaaaa` or `godwit rollback aaaaaaaa` first.")]
    [InlineData(RunState.NeedsOperator, ": `godwit status aaaaaaaa` says what to look at, then `godwit resume aaaaaaaa` or `godwit rollback aaaaaaaa` first.")]
    [InlineData(RunState.Completed, " and can still be rolled back; `godwit cleanup aaaaaaaa` ends that.")]
    public async Task A_run_is_refused_while_another_on_its_table_is_unfinished(RunState state, string remedy)
    {
        await CreateAsync(StoreSamples.Run("aaaaaaaa", state: state));
        var refused = await Should.ThrowAsync<RunConflictException>(CreateAsync(StoreSamples.Run("bbbbbbbb")));
        refused.Message.ShouldBe($"Run aaaaaaaa on db.t is {state}{remedy}");
        await CreateAsync(StoreSamples.Run("bbbbbbbb", table: "db.other"));
        await CreateAsync(StoreSamples.Run("cccccccc", instance: "another:8123"));
    }

    [Theory]
    [InlineData(RunState.NotStarted, false)]
    [InlineData(RunState.NotRequired, false)]
    [InlineData(RunState.FailedAtStartup, false)]
    [InlineData(RunState.RolledBack, false)]
    [InlineData(RunState.Completed, true)]
    public async Task A_run_that_is_through_is_in_nobodys_way(RunState state, bool cleanedUp)
    {
        await CreateAsync(StoreSamples.Run("aaaaaaaa", state: state) with { CleanedUp = cleanedUp });
        await CreateAsync(StoreSamples.Run("bbbbbbbb"));
    }

    [Fact]
    public async Task Of_two_planned_runs_only_one_may_start()
    {
        var first = await StartAsync("aaaaaaaa");
        var second = await StartAsync("bbbbbbbb");
        await Store.UpdateRunAsync(first, StoreSamples.Run("aaaaaaaa", state: RunState.Starting), Ct);
        var start = StoreSamples.Run("bbbbbbbb", state: RunState.Starting);
        (await Should.ThrowAsync<RunConflictException>(Store.UpdateRunAsync(second, start, Ct))).RunId.ShouldBe("aaaaaaaa");
        // The plan of the second one was made for the table that the first one has rebuilt since.
        await Store.UpdateRunAsync(first, StoreSamples.Run("aaaaaaaa", state: RunState.Completed), Ct);
        await Should.ThrowAsync<RunConflictException>(Store.UpdateRunAsync(second, start, Ct));
        (await Store.FindRunAsync("bbbbbbbb", Ct))!.State.ShouldBe(RunState.NotStarted);
    }

    [Fact]
    public async Task A_failed_run_may_not_go_on_beside_an_active_one_but_may_be_rolled_back()
    {
        var lease = await StartAsync("aaaaaaaa");
        await Store.UpdateRunAsync(lease, StoreSamples.Run("aaaaaaaa", state: RunState.Failed), Ct);
        await CreateAsync(StoreSamples.Run("bbbbbbbb", table: "db.other", state: RunState.Running));
        var resumed = StoreSamples.Run("aaaaaaaa", state: RunState.Running);
        (await Should.ThrowAsync<RunConflictException>(Store.UpdateRunAsync(lease, resumed, Ct))).RunId.ShouldBe("bbbbbbbb");
        await Store.UpdateRunAsync(lease, StoreSamples.Run("aaaaaaaa", state: RunState.RollingBack), Ct);
    }

    [Fact]
    public async Task Of_two_processes_that_start_at_once_one_is_refused()
    {
        var other = await AnotherAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Outcome(
            () => (i % 2 == 0 ? Store : other).CreateRunAsync(StoreSamples.Run($"aaaaaaa{i}", state: RunState.Starting), StoreSamples.Plan(), Ct)))));
        outcomes.Count(o => o is null).ShouldBe(1);
        (await Store.ListRunsAsync(Ct)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_id_of_a_run_is_never_used_again()
    {
        await CreateAsync(StoreSamples.Run("aaaaaaaa"));
        (await Should.ThrowAsync<RunConflictException>(CreateAsync(StoreSamples.Run("aaaaaaaa", table: "db.other"))))
            .Message.ShouldBe("There is a run aaaaaaaa already: `godwit status aaaaaaaa` shows it.");
    }

    private Task CreateAsync(RunRecord run) => Store.CreateRunAsync(run, StoreSamples.Plan(), Ct);
}

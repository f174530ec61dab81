using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Metadata;

/// <summary>What every store does. Each test has a store of its own that can be opened several times.</summary>
public abstract class RunStoreContract : IAsyncLifetime
{
    private protected static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly List<IStore> _opened = [];

    /// <summary>Every write that carries a lease.</summary>
    private static readonly Dictionary<string, Func<IStore, Lease, Task>> FencedWrites = new()
    {
        ["renew"] = (store, lease) => store.RenewLeaseAsync(lease, Minute, """{"p":"stale"}"""),
        ["release"] = (store, lease) => store.ReleaseLeaseAsync(lease),
        ["run"] = (store, lease) => store.UpdateRunAsync(lease, StoreSamples.Run("aaaaaaaa", state: RunState.Starting)),
        ["step"] = (store, lease) => store.UpdateStepAsync(lease, new StepRecord("aaaaaaaa", 1, StepState.Done, 5, 1)),
        ["journal"] = (store, lease) => store.AppendJournalAsync(lease, StoreSamples.Entry("aaaaaaaa", "stale")),
        ["error"] = (store, lease) => store.AppendErrorAsync(lease, new RunError("aaaaaaaa", null, "stale", null, StoreSamples.Noon)),
        ["sample"] = (store, lease) => store.AppendSampleAsync(lease, new RunSample(StoreSamples.Noon, 1, 1, null, IsHeld: false)),
        ["clear request"] = (store, lease) => store.ClearRequestAsync(lease, RunRequest.Pause),
    };

    public static TheoryData<string> FencedWriteNames => [.. FencedWrites.Keys];

    private protected ManualClock Clock { get; } = new();

    private protected IStore Store => _opened[0];

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync() => await AnotherAsync();

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var store in _opened)
        {
            await store.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_run_comes_back_as_it_was_stored_from_another_process()
    {
        var run = StoreSamples.Run("aaaaaaaa") with
        {
            StartedAt = StoreSamples.Noon,
            FinishedAt = StoreSamples.Noon + Minute,
            RollbackUntil = StoreSamples.Noon + (2 * Minute),
            CleanedUp = true,
            Problem = "It's \"odd\" — ☃",
            Progress = """{"rows":1}""",
        };
        await Store.CreateRunAsync(run, StoreSamples.Plan(), Ct);
        var other = await AnotherAsync();
        (await other.FindRunAsync("aaaaaaaa", Ct)).ShouldBeEquivalentTo(run);
        var plan = await other.GetPlanAsync("aaaaaaaa", Ct);
        PlanFormat.Serialize(plan).ShouldBe(PlanFormat.Serialize(StoreSamples.Plan()));
        (await other.GetStepsAsync("aaaaaaaa", Ct)).ShouldBe(
            [new StepRecord("aaaaaaaa", 0, StepState.Pending, 0, 0), new StepRecord("aaaaaaaa", 1, StepState.Pending, 0, 0)]);
    }

    [Fact]
    public async Task An_update_is_seen_by_another_process_and_null_is_stored_as_null()
    {
        var lease = await StartAsync("aaaaaaaa");
        var run = StoreSamples.Run("aaaaaaaa", state: RunState.Failed) with { Problem = "p", StartedAt = StoreSamples.Noon, Progress = "{}" };
        var other = await AnotherAsync();
        await Store.UpdateRunAsync(lease, run, Ct);
        (await other.FindRunAsync("aaaaaaaa", Ct)).ShouldBeEquivalentTo(run);
        await Store.UpdateRunAsync(lease, run with { Problem = null, StartedAt = null }, Ct);
        (await other.FindRunAsync("aaaaaaaa", Ct)).ShouldBeEquivalentTo(run with { Problem = null, StartedAt = null });
        await Store.UpdateStepAsync(lease, new StepRecord("aaaaaaaa", 1, StepState.Failed, long.MaxValue, 3), Ct);
        (await other.GetStepsAsync("aaaaaaaa", Ct))[1].ShouldBe(new StepRecord("aaaaaaaa", 1, StepState.Failed, long.MaxValue, 3));
    }

    [Fact]
    public async Task Ten_thousand_steps_are_stored_in_plan_order()
    {
        await Store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(10_000), Ct);
        var steps = await Store.GetStepsAsync("aaaaaaaa", Ct);
        steps.Select(s => s.Index).ShouldBe(Enumerable.Range(0, 10_000));
        (await Store.GetPlanAsync("aaaaaaaa", Ct)).Steps.Count.ShouldBe(10_000);
    }

    [Fact]
    public async Task Runs_are_listed_newest_first()
    {
        await Store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct);
        await Store.CreateRunAsync(StoreSamples.Run("cccccccc") with { CreatedAt = StoreSamples.Noon + Minute }, StoreSamples.Plan(), Ct);
        await Store.CreateRunAsync(StoreSamples.Run("bbbbbbbb"), StoreSamples.Plan(), Ct);
        (await Store.ListRunsAsync(Ct)).Select(r => r.RunId).ShouldBe(["cccccccc", "bbbbbbbb", "aaaaaaaa"]);
    }

    [Fact]
    public async Task The_journal_and_the_errors_keep_their_order_whoever_writes_them()
    {
        var lease = await StartAsync("aaaaaaaa");
        var other = await AnotherAsync();
        // Written with times that go backwards: the order is that of writing, as a server's clock may be set back.
        var first = await Store.AppendJournalAsync(lease, StoreSamples.Entry("aaaaaaaa", "z"), Ct);
        var second = await other.AppendJournalAsync(
            lease, StoreSamples.Entry("aaaaaaaa", "a", JournalEntryKind.Outcome) with { At = StoreSamples.Noon - Minute }, Ct);
        (first.Sequence, second.Sequence).ShouldBe((1, 2));
        (await other.GetJournalAsync("aaaaaaaa", Ct)).ShouldBe([first, second]);
        second.ShouldBe(StoreSamples.Entry("aaaaaaaa", "a", JournalEntryKind.Outcome) with { Sequence = 2, At = StoreSamples.Noon - Minute });

        RunError[] errors = [new("aaaaaaaa", null, "first", null, StoreSamples.Noon), new("aaaaaaaa", 1, "second", "Code: 60", StoreSamples.Noon - Minute)];
        await Store.AppendErrorAsync(lease, errors[0], Ct);
        await other.AppendErrorAsync(lease, errors[1], Ct);
        (await Store.GetErrorsAsync("aaaaaaaa", Ct)).ShouldBe(errors);
    }

    [Fact]
    public async Task Lanes_and_processes_may_write_at_once_and_nothing_is_lost()
    {
        var lease = await StartAsync("aaaaaaaa");
        var other = await AnotherAsync();
        await Parallel.ForEachAsync(Enumerable.Range(0, 60), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Ct }, async (i, ct) =>
        {
            var store = i % 2 == 0 ? Store : other;
            await store.AppendJournalAsync(lease, StoreSamples.Entry("aaaaaaaa", $"n{i}"), ct);
            (await store.FindRunAsync("aaaaaaaa", ct)).ShouldNotBeNull();
        });
        var journal = await Store.GetJournalAsync("aaaaaaaa", Ct);
        journal.Select(e => e.Sequence).ShouldBe(Enumerable.Range(1, 60).Select(i => (long)i));
        journal.Select(e => e.Name).ShouldBe(Enumerable.Range(0, 60).Select(i => $"n{i}"), ignoreOrder: true);
    }

    [Theory]
    [MemberData(nameof(FencedWriteNames))]
    public async Task A_write_with_an_older_lease_is_refused_and_leaves_no_trace(string name)
    {
        var old = await StartAsync("aaaaaaaa");
        await Store.PutRequestAsync("aaaaaaaa", RunRequest.Pause, Ct);
        Clock.Advance(2 * Minute);
        var newer = await (await AnotherAsync()).AcquireLeaseAsync("aaaaaaaa", old.Owner, Minute, Ct);
        newer.Epoch.ShouldBe(old.Epoch + 1);
        await Should.ThrowAsync<LeaseLostException>(FencedWrites[name](Store, old));
        await Should.ThrowAsync<LeaseLostException>(FencedWrites[name](Store, newer with { Owner = "somebody else" }));

        (await Store.FindLeaseAsync("aaaaaaaa", Ct)).ShouldBe(newer);
        (await Store.FindRunAsync("aaaaaaaa", Ct)).ShouldBeEquivalentTo(StoreSamples.Run("aaaaaaaa"));
        (await Store.GetStepsAsync("aaaaaaaa", Ct)).ShouldAllBe(s => s.State == StepState.Pending);
        (await Store.GetJournalAsync("aaaaaaaa", Ct)).ShouldBeEmpty();
        (await Store.GetErrorsAsync("aaaaaaaa", Ct)).ShouldBeEmpty();
        (await Store.GetRequestAsync("aaaaaaaa", Ct)).ShouldBe(RunRequest.Pause);
    }

    [Theory]
    [MemberData(nameof(FencedWriteNames))]
    public async Task A_holder_may_still_write_after_its_lease_expired_while_nobody_took_it(string name)
    {
        var lease = await StartAsync("aaaaaaaa");
        Clock.Advance(2 * Minute);
        await FencedWrites[name](await AnotherAsync(), lease);
    }

    [Theory]
    [MemberData(nameof(FencedWriteNames))]
    public async Task A_write_after_release_is_refused(string name)
    {
        var lease = await StartAsync("aaaaaaaa");
        await Store.ReleaseLeaseAsync(lease, Ct);
        await Should.ThrowAsync<LeaseLostException>(FencedWrites[name](Store, lease));
    }

    [Fact]
    public async Task A_lease_is_refused_to_others_until_it_expires()
    {
        var lease = await StartAsync("aaaaaaaa");
        var other = await AnotherAsync();
        lease.ShouldBe(new Lease("aaaaaaaa", "me", 1, Clock.GetUtcNow() + Minute));
        Clock.Advance(Minute - TimeSpan.FromMilliseconds(1));
        (await Should.ThrowAsync<LeaseHeldException>(other.AcquireLeaseAsync("aaaaaaaa", "you", Minute, Ct))).Lease.ShouldBe(lease);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await other.AcquireLeaseAsync("aaaaaaaa", "you", Minute, Ct)).ShouldBe(new Lease("aaaaaaaa", "you", 2, Clock.GetUtcNow() + Minute));
    }

    [Fact]
    public async Task Renewing_prolongs_a_lease_and_stores_the_figures()
    {
        var lease = await StartAsync("aaaaaaaa");
        Clock.Advance(Minute / 2);
        var renewed = await Store.RenewLeaseAsync(lease, Minute, """{"rows":7}""", Ct);
        renewed.ShouldBe(lease with { ExpiresAt = Clock.GetUtcNow() + Minute });
        (await Store.FindLeaseAsync("aaaaaaaa", Ct)).ShouldBe(renewed);
        await Store.RenewLeaseAsync(renewed, Minute, null, Ct);
        (await Store.FindRunAsync("aaaaaaaa", Ct))!.Progress.ShouldBe("""{"rows":7}""");
        // The runner's copy of the record may be older than the heartbeat's figures.
        await Store.UpdateRunAsync(renewed, StoreSamples.Run("aaaaaaaa", state: RunState.Starting), Ct);
        (await Store.FindRunAsync("aaaaaaaa", Ct))!.Progress.ShouldBe("""{"rows":7}""");
    }

    [Fact]
    public async Task A_released_lease_may_be_taken_at_once_and_its_epoch_is_never_used_again()
    {
        var lease = await StartAsync("aaaaaaaa");
        await Store.ReleaseLeaseAsync(lease, Ct);
        (await Store.FindLeaseAsync("aaaaaaaa", Ct)).ShouldBeNull();
        (await Store.AcquireLeaseAsync("aaaaaaaa", "me", Minute, Ct)).Epoch.ShouldBe(2);
    }

    [Fact]
    public async Task Of_two_processes_that_want_a_lease_at_once_one_gets_it()
    {
        await Store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct);
        var other = await AnotherAsync();
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => Task.Run(() => Outcome(() => (i % 2 == 0 ? Store : other).AcquireLeaseAsync("aaaaaaaa", $"p{i}", Minute, Ct)))));
        outcomes.Count(o => o is null).ShouldBe(1);
        outcomes.Where(o => o is not null).ShouldAllBe(o => o is LeaseHeldException);
    }

    [Fact]
    public async Task A_request_is_replaced_by_a_later_one_and_cleared_only_by_its_own_name()
    {
        var lease = await StartAsync("aaaaaaaa");
        var other = await AnotherAsync();
        (await Store.GetRequestAsync("aaaaaaaa", Ct)).ShouldBe(RunRequest.None);
        await other.PutRequestAsync("aaaaaaaa", RunRequest.Pause, Ct);
        await other.PutRequestAsync("aaaaaaaa", RunRequest.Stop, Ct);
        await Store.ClearRequestAsync(lease, RunRequest.Pause, Ct);
        (await Store.GetRequestAsync("aaaaaaaa", Ct)).ShouldBe(RunRequest.Stop);
        await Store.ClearRequestAsync(lease, RunRequest.Stop, Ct);
        (await other.GetRequestAsync("aaaaaaaa", Ct)).ShouldBe(RunRequest.None);
    }

    [Fact]
    public async Task An_unknown_run_is_refused_with_a_sentence_or_found_missing()
    {
        (await Store.FindRunAsync("nowhere1", Ct)).ShouldBeNull();
        (await Store.FindLeaseAsync("nowhere1", Ct)).ShouldBeNull();
        (await Store.GetStepsAsync("nowhere1", Ct)).ShouldBeEmpty();
        Task[] refused =
        [
            Store.GetPlanAsync("nowhere1", Ct), Store.GetRequestAsync("nowhere1", Ct),
            Store.PutRequestAsync("nowhere1", RunRequest.Stop, Ct), Store.AcquireLeaseAsync("nowhere1", "me", Minute, Ct),
        ];
        foreach (var task in refused)
        {
            (await Should.ThrowAsync<RunNotFoundException>(task)).Message.ShouldBe(
                "There is no run nowhere1 in this state file; `godwit runs` lists them.");
        }
    }

    [Fact]
    public async Task A_write_to_another_run_or_to_no_step_is_refused()
    {
        var lease = await StartAsync("aaaaaaaa");
        await Store.CreateRunAsync(StoreSamples.Run("bbbbbbbb"), StoreSamples.Plan(), Ct);
        await Should.ThrowAsync<ArgumentException>(() => Store.AppendJournalAsync(lease, StoreSamples.Entry("bbbbbbbb", "x"), Ct));
        await Should.ThrowAsync<ArgumentException>(() => Store.UpdateStepAsync(lease, new StepRecord("aaaaaaaa", 2, StepState.Done, 0, 1), Ct));
        (await Store.GetJournalAsync("bbbbbbbb", Ct)).ShouldBeEmpty();
    }

    /// <summary>Opens the test's store once more, as another process would.</summary>
    private protected abstract Task<IStore> OpenAsync();

    private protected async Task<IStore> AnotherAsync()
    {
        _opened.Add(await OpenAsync());
        return _opened[^1];
    }

    private protected async Task<Lease> StartAsync(string runId)
    {
        await Store.CreateRunAsync(StoreSamples.Run(runId), StoreSamples.Plan(), Ct);
        return await Store.AcquireLeaseAsync(runId, "me", Minute, Ct);
    }

    private protected static async Task<Exception?> Outcome(Func<Task> action)
    {
        try
        {
            await action();
            return null;
        }
        catch (Exception e) when (e is LeaseHeldException or RunConflictException)
        {
            return e;
        }
    }
}

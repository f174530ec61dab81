using Godwit.Metadata;
using Godwit.Runs;
using Godwit.Workers;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Workers;

/// <summary>What a worker does with a run that nobody owns.</summary>
public sealed class WorkerDecisionTests
{
    private static readonly Dictionary<string, string> Off = new(StringComparer.Ordinal) { ["autoContinue"] = "false" };
    private static readonly Dictionary<string, string> Back = new(StringComparer.Ordinal) { ["autoContinue"] = "false", ["autoRollback"] = "true" };
    private static readonly Dictionary<string, string> Drains = new(StringComparer.Ordinal) { ["drain"] = "true" };

    [Fact]
    public void What_nobody_asked_for_is_left_alone()
    {
        foreach (var state in new[] { RunState.NotStarted, RunState.Paused, RunState.Failed, RunState.NeedsOperator, RunState.Completed, RunState.RolledBack })
        {
            Of(state, RunRequest.None).ShouldBe(WorkerMove.Nothing, state.ToString());
        }
    }

    [Theory]
    [InlineData(RunState.NotStarted, RunRequest.Start, "Work")]
    [InlineData(RunState.Paused, RunRequest.Resume, "Work")]
    [InlineData(RunState.Failed, RunRequest.Resume, "Work")]
    [InlineData(RunState.AwaitingCutover, RunRequest.CutOver, "Work")]
    [InlineData(RunState.Completed, RunRequest.CleanUp, "Work")]
    [InlineData(RunState.Completed, RunRequest.Rollback, "RollBack")]
    [InlineData(RunState.Paused, RunRequest.Rollback, "RollBack")]
    [InlineData(RunState.RolledBack, RunRequest.Rollback, "Nothing")]
    [InlineData(RunState.Completed, RunRequest.Resume, "Nothing")]
    public void What_was_asked_for_is_done_where_it_can_be(RunState state, RunRequest request, string move) => Of(state, request).ToString().ShouldBe(move);

    [Theory]
    [InlineData(RunState.Starting)]
    [InlineData(RunState.Running)]
    [InlineData(RunState.AwaitingCutover)]
    public void A_run_whose_owner_died_goes_on_goes_back_or_fails_as_the_settings_say(RunState state)
    {
        Of(state, RunRequest.None).ShouldBe(WorkerMove.Work);
        Of(state, RunRequest.None, Off).ShouldBe(WorkerMove.Fail);
        Of(state, RunRequest.None, Back).ShouldBe(WorkerMove.RollBack);
        Of(state, RunRequest.None, Drains).ShouldBe(WorkerMove.Work);
    }

    [Fact]
    public void A_rollback_whose_owner_died_always_goes_on() => Of(RunState.RollingBack, RunRequest.None, Off).ShouldBe(WorkerMove.Work);

    [Fact]
    public void Nothing_is_started_while_workers_drain() => Of(RunState.NotStarted, RunRequest.Start, Drains).ShouldBe(WorkerMove.Nothing);

    private static WorkerMove Of(RunState state, RunRequest request, Dictionary<string, string>? stored = null) =>
        WorkerDecision.Of(state, request, WorkerSettings.Read(stored ?? []));
}

using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Runs;

/// <summary>A trouble that passed, or may: told among the errors of the run, so that a person sees later what the run has been through.</summary>
internal static class Trouble
{
    // The uptime is cut to seconds.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>Tells that a step is tried again.</summary>
    public static Task BeganAsync(RunBook book, PlannedStep step, Exception e) => book.NoteAsync(
        step.Index,
        e switch
        {
            ClickHouseException { Code: ClickHouseErrorCodes.MemoryLimitExceeded } memory => $"{memory.Node} ran out of memory for a statement of \"{step.Description}\"; it is tried again.",
            _ => $"\"{step.Description}\" was cut off and is tried again: {e.Message}",
        },
        (e as ClickHouseException)?.Words);

    /// <summary>Tells that it goes on, and whether its server was restarted meanwhile.</summary>
    /// <param name="book">The run.</param>
    /// <param name="services">What its steps use.</param>
    /// <param name="step">The step.</param>
    /// <param name="lasted">How long ago the trouble began.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task EndedAsync(RunBook book, RunServices services, PlannedStep step, TimeSpan lasted, CancellationToken ct)
    {
        var wasRestarted = StepCatalog.Get(step.Kind).Server == Service.ClickHouse && await UptimeAsync(services.Gateway.At(step.Node), ct) <= lasted + Tolerance;
        await book.NoteAsync(step.Index, $"{step.Node} {(wasRestarted ? "was restarted" : "is well again")}: \"{step.Description}\" went on after {lasted.TotalSeconds:0} s.", null);
    }

    private static async Task<TimeSpan> UptimeAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        try
        {
            return TimeSpan.FromSeconds(await gateway.ScalarAsync<long>("SELECT toInt64(uptime())", ct: ct));
        }
        catch (ClickHouseException)
        {
            // It is away again. The step is done; the next one will tell.
            return TimeSpan.MaxValue;
        }
    }
}

using Godwit.ClickHouse;

namespace Godwit.Runs;

/// <summary>What a server's error means for a run, and what to do about it.</summary>
internal static class Failures
{
    /// <summary>One or two sentences for a person.</summary>
    public static string Explain(ClickHouseException e) => e switch
    {
        ClickHouseUnreachableException => $"{e.Node} does not answer: {e.Message} Start it, then `resume`.",
        { Code: ClickHouseErrorCodes.MemoryLimitExceeded } => $"{e.Node} ran out of memory for a statement. Give less with --memory or --threads, then `resume`.",
        { Code: ClickHouseErrorCodes.NotEnoughSpace } => $"A disk of {e.Node} is full. Free space, then `resume`; `rollback` removes what this run wrote.",
        { Code: ClickHouseErrorCodes.TableSizeExceedsMaxDropSizeLimit } =>
            $"{e.Node} refuses to drop a table this large (max_table_size_to_drop). Raise that limit for a moment, then do the same again.",
        { Code: ClickHouseErrorCodes.AccessDenied } => $"The user lacks a right on {e.Node}: {e.ServerMessage} Grant it, then `resume`.",
        _ => $"{e.Node} refused a statement: {e.ServerMessage} Mend the cause, then `resume`, or `rollback`.",
    };
}

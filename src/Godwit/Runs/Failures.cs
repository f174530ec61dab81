using Godwit.ClickHouse;

namespace Godwit.Runs;

/// <summary>What a server's error means for a run, and what to do about it.</summary>
internal static class Failures
{
    /// <summary>One or two sentences for a person.</summary>
    public static string Explain(ClickHouseException e, string node) => e switch
    {
        ClickHouseUnreachableException => $"{node} does not answer: {e.Message} Start it, then `resume`.",
        { Code: ClickHouseErrorCodes.MemoryLimitExceeded } => $"{node} ran out of memory for a statement. Give less with --memory or --threads, then `resume`.",
        { Code: ClickHouseErrorCodes.NotEnoughSpace } => $"A disk of {node} is full. Free space, then `resume`; `rollback` removes what this run wrote.",
        { Code: ClickHouseErrorCodes.TableSizeExceedsMaxDropSizeLimit } =>
            $"{node} refuses to drop a table this large (max_table_size_to_drop). Raise that limit for a moment, then do the same again.",
        { Code: ClickHouseErrorCodes.AccessDenied } => $"The user lacks a right on {node}: {e.ServerMessage} Grant it, then `resume`.",
        _ => $"{node} refused a statement: {e.ServerMessage} Mend the cause, then `resume`, or `rollback`.",
    };
}

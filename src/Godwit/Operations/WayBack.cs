namespace Godwit.Operations;

/// <summary>The rule that an operation says how it is undone, or that it cannot be.</summary>
internal static class WayBack
{
    /// <summary>Why a run that has begun an irreversible operation cannot be rolled back.</summary>
    public static string Refusal(string operation) => $"There is no way back from \"{operation}\": its author has marked it irreversible. `resume` goes on.";

    /// <summary>What a person should know before a run begins: that to roll back will destroy something.</summary>
    public static IReadOnlyList<string> Reasons(string operation, IReadOnlyList<string>? undo) =>
        undo?.Where(StatementKind.IsDestructive).Select(s => $"A rollback of \"{operation}\" destroys data: {StatementKind.Summary(s)}").ToList() ?? [];

    /// <summary>What is wrong with what an author said of it.</summary>
    public static IEnumerable<string> Problems(string what, bool hasUndo, bool irreversible) => (hasUndo, irreversible) switch
    {
        (false, false) => [$"Nothing undoes this {what}: add undo (an empty list when nothing has to be undone), or say irreversible if there is no way back."],
        (true, true) => [$"This {what} has an undo and is irreversible: leave out one of them."],
        _ => [],
    };
}

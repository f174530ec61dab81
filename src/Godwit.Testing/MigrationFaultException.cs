namespace Godwit.Testing;

/// <summary>Something that is wrong with a migration.</summary>
/// <param name="When">What was done to it, with the moment: <c>Killed after …, then resumed</c>.</param>
/// <param name="What">What was wrong then.</param>
public sealed record MigrationFault(string When, string What);

/// <summary>A migration is not as it should be. The message tells all faults; those that look the same are told together.</summary>
/// <param name="subject">The migration, or the text, that they were found in.</param>
/// <param name="faults">What was found.</param>
public sealed class MigrationFaultException(string subject, IReadOnlyList<MigrationFault> faults) : Exception(Message(subject, faults))
{
    private const int MostMoments = 4;

    /// <summary>What was found, in the order in which it was.</summary>
    public IReadOnlyList<MigrationFault> Faults { get; } = faults;

    private static new string Message(string subject, IReadOnlyList<MigrationFault> faults)
    {
        var kinds = faults.GroupBy(f => f.What, StringComparer.Ordinal).Select(Text);
        return $"{subject}: {(faults.Count == 1 ? "a fault" : $"{faults.Count} faults")}.\n\n{string.Join("\n\n", kinds)}";
    }

    private static string Text(IGrouping<string, MigrationFault> same)
    {
        var more = same.Count() - MostMoments;
        var moments = same.Take(MostMoments).Select(f => f.When).Concat(more > 0 ? [$"… and {more} more like these"] : []);
        return $"{string.Join('\n', moments)}:\n  {same.Key.ReplaceLineEndings("\n  ")}";
    }
}

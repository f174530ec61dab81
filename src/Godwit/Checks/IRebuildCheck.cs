using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Something that is looked at before a run, or in it: it reads, it changes nothing.</summary>
internal interface ICheck
{
    /// <summary>Its name in results.</summary>
    string Name { get; }
}

/// <summary>A precheck of a rebuild.</summary>
internal interface IRebuildCheck : ICheck
{
    /// <summary>What it found; null when it does not apply.</summary>
    Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct);
}

/// <summary>Every precheck of a rebuild, and how they are run.</summary>
internal static class RebuildChecks
{
    /// <summary>Checks that concern the table whatever it is to become.</summary>
    public static IReadOnlyList<IRebuildCheck> OfTable { get; } =
    [
        new AtomicDatabaseCheck(),
        new InnerTableCheck(),
        new MutationsCheck(),
        new PatchPartsCheck(),
        new LeftoversCheck(),
        new FeedCheck(),
        new SecondConsumerCheck(),
        new FreeDiskCheck(),
        new DropLimitCheck(),
    ];

    /// <summary>Checks that concern what the table is to become and how.</summary>
    public static IReadOnlyList<IRebuildCheck> OfChange { get; } =
    [
        new ServerVersionCheck(),
        new RowHashCheck(),
        new BrakeSqlCheck(),
        new PauseHooksCheck(),
        new VersionlessReplacingCheck(),
        new HeldMergesCheck(),
        new TtlGroupByCheck(),
        new KeyIdentityCheck(),
        new ColumnCastCheck(),
        new ViewRaceCheck(),
        new RowValuesCheck(),
    ];

    /// <summary>The checks whose refusal a person may overrule by name.</summary>
    public static IReadOnlyList<string> Acceptable { get; } = [.. KafkaChecks.All.Select(c => c.Name).Concat(["column-cast", "key-identity", "row-values", "versionless-replacing", "view-race"]).Order(StringComparer.Ordinal)];

    /// <summary>Runs them all; one that cannot read what it needs says so and counts as refused.</summary>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(IEnumerable<IRebuildCheck> checks, RebuildDraft draft, CancellationToken ct)
    {
        List<CheckResult> results = [];
        foreach (var check in checks)
        {
            try
            {
                if (await check.RunAsync(draft, ct) is { } result)
                {
                    results.Add(result);
                }
            }
            catch (ClickHouse.ClickHouseException e) when (e is not ClickHouse.ClickHouseUnreachableException)
            {
                results.Add(new CheckResult(check.Name, CheckVerdict.Unreadable, $"The check {check.Name} could not read what it needs: {e.ServerMessage}"));
            }
        }

        return results;
    }
}

/// <summary>Shorthand for the answers of a check.</summary>
internal static class CheckAnswers
{
    public static CheckResult Ok(this ICheck check, string message) => new(check.Name, CheckVerdict.Ok, message);

    public static CheckResult Warn(this ICheck check, string message) => new(check.Name, CheckVerdict.Warning, message);

    public static CheckResult Refuse(this ICheck check, string message) => new(check.Name, CheckVerdict.Refused, message);

    public static CheckResult Unreadable(this ICheck check, string message) => new(check.Name, CheckVerdict.Unreadable, message);

    /// <summary>Refused unless a person has accepted this by name.</summary>
    public static CheckResult RefuseUnlessAccepted(this IRebuildCheck check, RebuildDraft draft, string message) =>
        check.Refuse(message).UnlessAccepted(draft.Request.Accept);

    /// <summary>A result that stands against the run, unless a person has accepted it by name.</summary>
    public static CheckResult UnlessAccepted(this CheckResult result, IReadOnlyList<string> accepted) =>
        !result.Blocks ? result
        : accepted.Contains(result.Check, StringComparer.Ordinal) ? result with { Verdict = CheckVerdict.Warning, Message = $"{result.Message} (accepted)" }
        : result with { Message = $"{result.Message} If that is what you want, add --accept {result.Check}." };
}

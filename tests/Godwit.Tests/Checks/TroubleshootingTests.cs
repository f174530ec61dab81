using System.Text.RegularExpressions;
using Godwit.Checks;
using Godwit.Fixtures;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Checks;

/// <summary>Who is refused by a check finds it in the guide.</summary>
public sealed partial class TroubleshootingTests
{
    [Fact]
    public async Task Every_check_of_a_rebuild_has_a_line()
    {
        var guide = await File.ReadAllTextAsync(Repository.File("docs", "troubleshooting.md"), TestContext.Current.CancellationToken);
        var told = Row().Matches(guide).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        IReadOnlyList<ICheck> checks = [.. RebuildChecks.OfTable, .. RebuildChecks.OfChange, .. KafkaChecks.All];

        checks.Select(c => c.Name).Where(name => !told.Contains(name)).ShouldBeEmpty();
    }

    [GeneratedRegex(@"^\| ([a-z-]+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}

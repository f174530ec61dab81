namespace Godwit.Migrations;

/// <summary>The versions of the application in which a migration may run; an open end is null.</summary>
/// <param name="From">The first version that the migration may run in.</param>
/// <param name="MustBeDoneBy">The first version that does not work without it: an upgrade to it is blocked until the migration is done.</param>
public sealed record VersionWindow(string? From = null, string? MustBeDoneBy = null)
{
    /// <summary>Any version.</summary>
    public static VersionWindow Any { get; } = new();

    /// <summary>Whether a version of the application lies in it.</summary>
    public bool Contains(string version) =>
        (From is null || VersionRange.Compare(version, From) >= 0) && (MustBeDoneBy is null || VersionRange.Compare(version, MustBeDoneBy) < 0);

    /// <summary>What is wrong with it, one sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var (name, version) in new[] { ("from", From), ("mustBeDoneBy", MustBeDoneBy) })
        {
            if (version is not null && !VersionRange.IsVersion(version))
            {
                yield return $"The version '{version}' ({name}) is not one such as 1.42.0.";
            }
        }

        if (From is not null && MustBeDoneBy is not null && VersionRange.IsVersion(From) && VersionRange.IsVersion(MustBeDoneBy) && VersionRange.Compare(From, MustBeDoneBy) >= 0)
        {
            yield return $"The window of versions is empty: it begins with {From} and must be done by {MustBeDoneBy}.";
        }
    }

    /// <summary>For people: <c>from 1.40.0, before 1.44.0</c>.</summary>
    public override string ToString() => (From, MustBeDoneBy) switch
    {
        (null, null) => "any version",
        (not null, null) => $"from {From}",
        (null, not null) => $"before {MustBeDoneBy}",
        _ => $"from {From}, before {MustBeDoneBy}",
    };
}

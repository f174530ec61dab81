using NuGet.Versioning;

namespace Godwit.Migrations;

/// <summary>
/// Which versions will do: comparisons that must all hold, such as <c>&gt;=21.8, &lt;24</c>. Missing parts of a version are 0, and a
/// pre-release comes before its release, as SemVer says; versions of four parts, as ClickHouse has them, are compared part by part.
/// </summary>
public sealed class VersionRange
{
    // The longer ones first: ">=" begins with ">".
    private static readonly (string Sign, Func<int, bool> Holds)[] Comparisons =
    [
        (">=", order => order >= 0), ("<=", order => order <= 0), ("!=", order => order != 0), (">", order => order > 0), ("<", order => order < 0), ("=", order => order == 0),
    ];

    private readonly string _text;
    private readonly IReadOnlyList<(Func<int, bool> Holds, NuGetVersion Version)> _comparisons;

    private VersionRange(string text, IReadOnlyList<(Func<int, bool>, NuGetVersion)> comparisons) => (_text, _comparisons) = (text, comparisons);

    /// <summary>Reads a range.</summary>
    /// <exception cref="FormatException">It is not one; the message says which part and what one looks like.</exception>
    public static VersionRange Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var comparisons = text.Split(',', StringSplitOptions.TrimEntries).Select(part =>
        {
            var (sign, holds) = Comparisons.FirstOrDefault(c => part.StartsWith(c.Sign, StringComparison.Ordinal));
            return sign is not null && TryRead(part[sign.Length..]) is { } version
                ? (holds, version)
                : throw new FormatException($"'{part}' is not a condition on a version: write comparisons such as '>=21.8, <24'.");
        });
        return new VersionRange(text.Trim(), comparisons.ToList());
    }

    /// <summary>Whether a version will do.</summary>
    /// <exception cref="FormatException">It is not a version.</exception>
    public bool Contains(string version)
    {
        var read = Version(version);
        return _comparisons.All(c => c.Holds(read.CompareTo(c.Version)));
    }

    /// <summary>As it was written.</summary>
    public override string ToString() => _text;

    /// <summary>Compares two versions as a range does: less than 0 when the first is the earlier one.</summary>
    /// <exception cref="FormatException">One of them is not a version.</exception>
    public static int Compare(string a, string b) => Version(a).CompareTo(Version(b));

    /// <summary>Whether a text is a version.</summary>
    public static bool IsVersion(string text) => TryRead(text) is not null;

    private static NuGetVersion Version(string text) => TryRead(text) ?? throw new FormatException($"'{text}' is not a version such as 1.42.0.");

    // Servers say more than their version: "15.8 (Debian 15.8-0+deb12u1)".
    private static NuGetVersion? TryRead(string text) =>
        NuGetVersion.TryParse(text.Trim().Split(' ')[0], out var version) ? version : null;
}

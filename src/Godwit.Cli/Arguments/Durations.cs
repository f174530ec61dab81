using System.Globalization;

namespace Godwit.Cli.Arguments;

/// <summary>Times as people write them: 24h, 30m, 7d, 90s.</summary>
internal static class Durations
{
    // Ten years; beyond it a typing mistake is more likely than a plan.
    private const double Longest = 315_360_000;

    /// <summary>Reads a time.</summary>
    /// <exception cref="FormatException">With a sentence that shows how to write one.</exception>
    public static TimeSpan Read(string text)
    {
        var trimmed = text.Trim();
        double? unit = trimmed is [.., var letter] ? letter switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => null } : null;
        if (trimmed == "0")
        {
            return TimeSpan.Zero;
        }

        return unit is { } seconds
            && double.TryParse(trimmed.AsSpan(0, trimmed.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value * seconds <= Longest
            ? TimeSpan.FromSeconds(value * seconds)
            : throw new FormatException($"'{text}' is not a time; write it like 24h, 30m, 7d or 90s (at most ten years).");
    }
}

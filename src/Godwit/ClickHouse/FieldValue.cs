using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Godwit.ClickHouse;

/// <summary>Reads a field's text as a value of .NET.</summary>
internal static partial class FieldValue
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>False when the text does not spell such a value.</summary>
    /// <exception cref="NotSupportedException">The type is none of those that are read.</exception>
    public static bool TryRead(string text, Type wanted, string serverType, string? timeZone, [NotNullWhen(true)] out object? value)
    {
        value = wanted switch
        {
            _ when wanted == typeof(string) => text,
            _ when wanted == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out var v) ? v : null,
            _ when wanted == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out var v) ? v : null,
            _ when wanted == typeof(ulong) => ulong.TryParse(text, NumberStyles.None, Culture, out var v) ? v : null,
            _ when wanted == typeof(double) => Double(text),
            _ when wanted == typeof(bool) => text switch { "1" or "true" => true, "0" or "false" => false, _ => null },
            _ when wanted == typeof(Guid) => Guid.TryParseExact(text, "D", out var v) ? v : null,
            _ when wanted == typeof(DateTimeOffset) => Utc(text, serverType, timeZone),
            _ => throw new NotSupportedException($"Values of type {wanted.Name} are not read from ClickHouse."),
        };
        return value is not null;
    }

    private static double? Double(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" or "-nan" => double.NaN,
        _ => double.TryParse(text, NumberStyles.Float, Culture, out var v) ? v : null,
    };

    private static DateTimeOffset? Utc(string text, string serverType, string? serverZone)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out var seconds))
        {
            return Math.Abs(seconds) < 200_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
        }

        if (text is "0000-00-00 00:00:00" or "0000-00-00")
        {
            return DateTimeOffset.UnixEpoch; // how old servers print the moment 0
        }

        var type = TimeType().Match(serverType);
        if (!type.Success || !DateTime.TryParseExact(text, Formats, Culture, DateTimeStyles.None, out var local))
        {
            return null;
        }

        // A Date is a day, not a moment: its beginning in UTC is the one reading that does not depend on the server.
        var zone = type.Groups["isDate"].Success ? "UTC" : type.Groups["zone"] is { Success: true } own ? own.Value : serverZone;
        if (zone is "UTC" or "Etc/UTC" or "GMT")
        {
            return new DateTimeOffset(local, TimeSpan.Zero);
        }

        return zone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found)
            ? new DateTimeOffset(local, found.GetUtcOffset(local)).ToUniversalTime()
            : null;
    }

    // DateTime64 has up to 9 digits; a tick is the seventh.
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", .. Enumerable.Range(1, 7).Select(n => $"yyyy-MM-dd HH:mm:ss.{new string('f', n)}"),
    ];

    [GeneratedRegex(
        @"^(Nullable\(|LowCardinality\()*((?<isDate>Date(32)?)(\)|$)|DateTime(64)?(\((\d+)?(, )?('(?<zone>[^']+)')?\))?)",
        RegexOptions.ExplicitCapture)]
    private static partial Regex TimeType();
}

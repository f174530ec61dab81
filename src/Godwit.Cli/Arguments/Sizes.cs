using System.Globalization;

namespace Godwit.Cli.Arguments;

/// <summary>Sizes as people write them: 10GB, 512MiB, 1.5TB, 4096.</summary>
internal static class Sizes
{
    private static readonly string[] Prefixes = ["", "K", "M", "G", "T", "P"];

    /// <summary>Reads a size in bytes. KB, MB … are powers of 1000; KiB, MiB … and bare letters (as ClickHouse writes them) of 1024.</summary>
    /// <exception cref="FormatException">With a sentence that shows how to write one.</exception>
    public static long Read(string text)
    {
        var trimmed = text.Trim();
        var letters = trimmed.AsSpan().TrimStart("0123456789.").ToString();
        var number = trimmed[..^letters.Length];
        if (decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && Factor(letters.Trim().ToUpperInvariant()) is { } factor
            && value <= long.MaxValue / factor)
        {
            return (long)(value * factor);
        }

        throw new FormatException($"'{text}' is not a size; write it like 10GB, 512MiB or 1TB.");
    }

    private static decimal? Factor(string unit)
    {
        if (unit is "" or "B")
        {
            return 1;
        }

        var power = Array.IndexOf(Prefixes, unit[..1]);
        return (power, unit[1..]) switch
        {
            ( < 1, _) => null,
            (_, "B") => Power(1000, power),
            (_, "" or "IB") => Power(1024, power),
            _ => null,
        };
    }

    private static decimal Power(decimal @base, int power) => power == 0 ? 1 : @base * Power(@base, power - 1);
}

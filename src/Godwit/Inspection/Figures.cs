using System.Globalization;

namespace Godwit.Inspection;

/// <summary>Figures in sentences.</summary>
internal static class Figures
{
    public static string Of(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Of(double number) => Of((long)Math.Round(number));
}

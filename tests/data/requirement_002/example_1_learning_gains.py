import boto3
from decimal import Decimal

dynamodb = boto3.resource('dynamodb')
table = dynamodb.Table('SocraticBenchmarks')

def calculate_learning_gains_by_condition(location, interval, intervention):
    """
    Calculate average learning gains for a specific experimental condition
    """
    # Query all sessions for this condition
    response = table.query(
        IndexName='GSI1',
        KeyConditionExpression='GSI1PK = :condition',
        ExpressionAttributeValues={
            ':condition': f'CONDITION#{location}#{interval}#{intervention}'
        }
    )

    sessions = response['Items']
    learning_gains = []

    # For each session, get baseline and final assessments
    for session in sessions:
        session_id = session['session_id']

        # Get assessments
        assessment_response = table.query(
            KeyConditionExpression='PK = :pk AND begins_with(SK, :sk_prefix)',
            ExpressionAttributeValues={
                ':pk': f'SESSION#{session_id}',
                ':sk_prefix': 'ASSESSMENT#'
            }
        )

        assessments = {a['assessment_metadata']['type']: a
                      for a in assessment_response['Items']}

        if 'baseline' in assessments and 'final' in assessments:
            baseline_score = assessments['baseline']['assessment_results']['score_percentage']
            final_score = assessments['final']['assessment_results']['score_percentage']

            absolute_gain = final_score - baseline_score
            normalized_gain = absolute_gain / (100 - baseline_score) if baseline_score < 100 else 0

            learning_gains.append({
                'session_id': session_id,
                'student_id': session['student_id'],
                'baseline': baseline_score,
                'final': final_score,
                'absolute_gain': absolute_gain,
                'normalized_gain': normalized_gain
            })

    # Calculate statistics
    if learning_gains:
        avg_baseline = sum(g['baseline'] for g in learning_gains) / len(learning_gains)
        avg_final = sum(g['final'] for g in learning_gains) / len(learning_gains)
        avg_absolute_gain = sum(g['absolute_gain'] for g in learning_gains) / len(learning_gains)
        avg_normalized_gain = sum(g['normalized_gain'] for g in learning_gains) / len(learning_gains)

        return {
            'condition': {
                'location': location,
                'interval': interval,
                'intervention': intervention
            },
            'n': len(learning_gains),
            'avg_baseline': avg_baseline,
            'avg_final': avg_final,
            'avg_absolute_gain': avg_absolute_gain,
            'avg_normalized_gain': avg_normalized_gain,
            'individual_gains': learning_gains
        }

    return None

# Example usage
results = calculate_learning_gains_by_condition('on-site', 2.5, 'dynamic')
print(f"Average learning gain: {results['avg_absolute_gain']:.2f} points")
print(f"Normalized gain: {results['avg_normalized_gain']:.2f}")

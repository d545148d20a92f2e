def analyze_location_impact():
    """
    Compare learning outcomes across all four location types
    """
    locations = ['on-site', 'learning-space', 'classroom', 'home']
    results = {}

    for location in locations:
        # Query all sessions for this location
        response = table.query(
            IndexName='GSI3',
            KeyConditionExpression='GSI3PK = :location',
            ExpressionAttributeValues={
                ':location': f'LOCATION#{location}'
            }
        )

        sessions = response['Items']
        learning_gains = []
        location_ratings = []

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

            # Get post-survey
            survey_response = table.get_item(
                Key={
                    'PK': f'SESSION#{session_id}',
                    'SK': 'POST_SURVEY'
                }
            )

            if 'Item' in survey_response:
                survey = survey_response['Item']
                location_ratings.append(survey['location_experience']['location_impact_rating'])

            if 'baseline' in assessments and 'final' in assessments:
                baseline = assessments['baseline']['assessment_results']['score_percentage']
                final = assessments['final']['assessment_results']['score_percentage']
                learning_gains.append(final - baseline)

        results[location] = {
            'n': len(sessions),
            'avg_learning_gain': sum(learning_gains) / len(learning_gains) if learning_gains else 0,
            'avg_location_rating': sum(location_ratings) / len(location_ratings) if location_ratings else 0,
            'std_learning_gain': None  # Calculate if needed
        }

    return results

# Example usage
location_results = analyze_location_impact()
for location, data in location_results.items():
    print(f"{location}: Avg gain = {data['avg_learning_gain']:.2f}, "
          f"Avg rating = {data['avg_location_rating']:.2f}, N = {data['n']}")
